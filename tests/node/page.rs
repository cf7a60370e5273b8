//! The demo's page on terminals of every size: the foot stays, nothing is wider or higher.

use carillon::node::demo::page::Line;
use carillon::node::demo::page::Table;
use carillon::node::demo::page::Tone;
use carillon::node::demo::page::lay_out;

fn table(head: &str, rows: usize) -> Table {
    let row = |nth| Line::new(format!("{head} row {nth}"), Tone::Plain);
    Table { head: head.to_owned(), rows: (0..rows).map(row).collect() }
}

fn foot() -> Vec<Line> {
    ["call in", "look", "the end"].map(|text| Line::new(text, Tone::Plain)).to_vec()
}

fn texts(page: &[Line]) -> Vec<&str> {
    page.iter().map(|line| line.text.as_str()).collect()
}

#[test]
fn what_has_room_is_shown_whole() {
    let page = lay_out(&[table("Q", 2), table("A", 3)], &foot(), (80, 24));
    let shown = [
        "Q", "Q row 0", "Q row 1", "", "A", "A row 0", "A row 1", "A row 2", "", "call in", "look",
        "the end",
    ];
    assert_eq!(texts(&page), shown);
}

#[test]
fn many_agents_are_counted_and_the_foot_stays() {
    let page = lay_out(&[table("Q", 3), table("A", 200)], &foot(), (80, 24));
    let texts = texts(&page);
    assert_eq!(page.len(), 23);
    assert_eq!(texts[texts.len() - 3..], ["call in", "look", "the end"]);
    let agents = texts.iter().filter(|text| text.starts_with("A row")).count();
    assert!(agents > 10, "{texts:?}");
    assert!(texts.contains(&format!("+{} more", 200 - agents).as_str()), "{texts:?}");
}

#[test]
fn nothing_is_wider_or_higher_than_the_terminal() {
    for columns in [1, 7, 40, 200] {
        for rows in [1, 2, 3, 5, 8, 13, 60] {
            for tables in [[0, 0, 0], [3, 5, 200], [50, 0, 1]] {
                let tables = tables.map(|rows| table("Ä long head", rows));
                let page = lay_out(&tables, &foot(), (columns, rows));
                assert!(page.len() < usize::from(rows.max(1)).max(1) + 1);
                let widest = page.iter().map(|line| line.text.chars().count()).max();
                assert!(widest.unwrap_or(0) <= usize::from(columns));
            }
        }
    }
}

#[test]
fn a_terminal_without_a_size_shows_something() {
    let tables = [table("Q", 3)];
    assert_eq!(lay_out(&tables, &foot(), (0, 0)), lay_out(&tables, &foot(), (80, 24)));
}
