//! What fits on a terminal: tables above, and below them a foot that is never pushed out.
//!
//! Always holds: no line is wider and no page higher than the terminal; rows that have no room are
//! counted in a line of their own (`+7 more`).
//!
//! Not here: what the tables say ([`super::screen`]).

/// A terminal that does not know its size is taken for one of these columns and rows.
const USUAL: (u16, u16) = (80, 24);

/// The colours of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As the terminal writes.
    Plain,
    /// Bold.
    Head,
    /// Green.
    Good,
    /// Yellow.
    Busy,
    /// Cyan.
    Live,
    /// Grey.
    Faint,
}

/// One line of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What it says.
    pub text: String,
    /// How it looks.
    pub tone: Tone,
}

impl Line {
    /// A line.
    pub fn new(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone }
    }
}

/// A table: its head and its rows, the most important first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The names of the columns.
    pub head: String,
    /// The rows.
    pub rows: Vec<Line>,
}

/// Lays tables and foot out on a terminal of this many columns and rows.
///
/// The last table gives way first; each keeps its head and a line while there is room.
pub fn lay_out(tables: &[Table], foot: &[Line], (columns, rows): (u16, u16)) -> Vec<Line> {
    let (columns, rows) = if columns == 0 || rows == 0 { USUAL } else { (columns, rows) };
    // The last row stays free: a terminal scrolls when it is written to its end.
    let height = usize::from(rows).saturating_sub(1);
    let mut room = height.saturating_sub(foot.len());
    let mut page = Vec::new();
    for (nth, table) in tables.iter().enumerate() {
        // A head, a row and the empty line below, for each table that still comes.
        let kept = 3 * (tables.len() - nth - 1);
        let mine = room.saturating_sub(kept).min(table.rows.len() + 2);
        let before = page.len();
        put(table, mine, &mut page);
        room = room.saturating_sub(page.len() - before);
    }
    page.truncate(height.saturating_sub(foot.len()));
    page.extend(foot.iter().take(height).cloned());
    for line in &mut page {
        line.text = line.text.chars().take(usize::from(columns)).collect();
    }
    page
}

/// Puts a table into `room` lines: its head, rows or their number, and an empty line.
fn put(table: &Table, room: usize, page: &mut Vec<Line>) {
    if room == 0 {
        return;
    }
    page.push(Line::new(table.head.clone(), Tone::Head));
    let shown = match room.saturating_sub(2) {
        places if places >= table.rows.len() => table.rows.len(),
        places => places.saturating_sub(1),
    };
    page.extend(table.rows.iter().take(shown).cloned());
    if shown < table.rows.len() && room > 1 {
        page.push(Line::new(format!("+{} more", table.rows.len() - shown), Tone::Faint));
    }
    if page.len() > 1 && room > 2 {
        page.push(Line::new("", Tone::Plain));
    }
}
