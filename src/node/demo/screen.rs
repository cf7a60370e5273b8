//! The live view: queues, waiting callers, agents, longest wait, as Carillon reports them.
//!
//! On a terminal the picture is drawn anew four times a second; elsewhere a line is printed every
//! five seconds.
//!
//! Not here: what fits on the terminal ([`super::page`]), the summary at the end
//! ([`super::print_summary`]), which comes from the phones' own books.

use std::io::IsTerminal;
use std::io::Write;
use std::time::Duration;

use crossterm::cursor;
use crossterm::queue;
use crossterm::style::Print;
use crossterm::style::StyledContent;
use crossterm::style::Stylize;
use crossterm::terminal;
use tokio::sync::watch;

use crate::acd::command::AgentStateName;
use crate::acd::command::CallStateName;
use crate::acd::view::AgentPicture;
use crate::acd::view::CallPicture;
use crate::acd::view::QueuePicture;
use crate::base::time::ClusterTime;
use crate::cluster::handle::Handle;
use crate::node::clock;
use crate::node::demo::page;
use crate::node::demo::page::Line;
use crate::node::demo::page::Table;
use crate::node::demo::page::Tone;

/// How many of those who wait are shown one by one.
const CALLERS_MAX: usize = 5;

/// Shows the call centre until aborted.
pub(super) async fn show(handle: Handle, invitation: Vec<String>, closing: watch::Receiver<bool>) {
    if std::io::stdout().is_terminal() {
        let mut pace = tokio::time::interval(Duration::from_millis(250));
        loop {
            pace.tick().await;
            // A terminal that cannot be drawn on is no reason to stop the calls.
            let _ = draw(&handle, &invitation, *closing.borrow());
        }
    }
    for line in &invitation {
        println!("{line}");
    }
    let mut pace = tokio::time::interval(Duration::from_secs(5));
    loop {
        pace.tick().await;
        println!("{}", in_one_line(&handle));
    }
}

fn in_one_line(handle: &Handle) -> String {
    let queues = handle.view(|view| view.queues());
    let agents = handle.view(|view| view.agents());
    let sum = |figure: fn(&QueuePicture) -> u32| queues.iter().map(figure).sum::<u32>();
    let ready = agents.iter().filter(|agent| agent.state == AgentStateName::Ready).count();
    let longest = queues.iter().filter_map(|queue| queue.longest_wait).max();
    format!(
        "waiting {:3}  reserved {:2}  talking {:3}  agents ready {ready:3} of {}  longest {} s",
        sum(|queue| queue.waiting),
        sum(|queue| queue.reserved),
        sum(|queue| queue.talking),
        agents.len(),
        longest.map_or(0, |wait| wait.as_secs()),
    )
}

fn draw(handle: &Handle, invitation: &[String], is_closing: bool) -> std::io::Result<()> {
    let (queues, agents, calls) = handle.view(|view| (view.queues(), view.agents(), view.calls()));
    let tables = tables(&queues, &agents, &calls, clock::wall());
    let foot: Vec<Line> = if is_closing {
        let words = format!("Ending: {} calls are finished first …", calls.len());
        vec![Line::new(words, Tone::Head)]
    } else {
        invitation.iter().map(|line| Line::new(line.clone(), Tone::Plain)).collect()
    };
    let mut out = std::io::stdout().lock();
    queue!(out, cursor::MoveTo(0, 0))?;
    for line in page::lay_out(&tables, &foot, terminal::size()?) {
        queue!(
            out,
            Print(styled(line)),
            terminal::Clear(terminal::ClearType::UntilNewLine),
            Print("\r\n")
        )?;
    }
    queue!(out, terminal::Clear(terminal::ClearType::FromCursorDown))?;
    out.flush()
}

fn tables(
    queues: &[QueuePicture],
    agents: &[AgentPicture],
    calls: &[CallPicture],
    now: ClusterTime,
) -> [Table; 3] {
    let mut waiting: Vec<&CallPicture> =
        calls.iter().filter(|call| call.state == CallStateName::Waiting).collect();
    waiting.sort_by_key(|call| call.arrived);
    [
        Table {
            head: "QUEUE        WAITING RESERVED  TALKING  LONGEST  ANSWERED  ABANDONED".to_owned(),
            rows: queues.iter().map(queue_line).collect(),
        },
        Table {
            head: "WAITING LONGEST  QUEUE         FOR".to_owned(),
            rows: waiting.iter().take(CALLERS_MAX).map(|call| caller_line(call, now)).collect(),
        },
        Table {
            head: "AGENT  STATE      FOR      REASON      CALL".to_owned(),
            rows: agents.iter().map(|agent| agent_line(agent, now)).collect(),
        },
    ]
}

fn styled(line: Line) -> StyledContent<String> {
    match line.tone {
        Tone::Plain => line.text.stylize(),
        Tone::Head => line.text.bold(),
        Tone::Good => line.text.green(),
        Tone::Busy => line.text.yellow(),
        Tone::Live => line.text.cyan(),
        Tone::Faint => line.text.grey(),
    }
}

fn queue_line(queue: &QueuePicture) -> Line {
    let text = format!(
        "{:<12} {:>7} {:>8}  {:>7}  {:>5} s  {:>8}  {:>9}",
        queue.id.as_str(),
        queue.waiting,
        queue.reserved,
        queue.talking,
        queue.longest_wait.map_or(0, |wait| wait.as_secs()),
        queue.totals.answered,
        queue.totals.abandoned + queue.totals.short_abandoned,
    );
    Line::new(text, Tone::Plain)
}

/// The callers are the demo's own invention, so their numbers are nobody's.
fn caller_line(call: &CallPicture, now: ClusterTime) -> Line {
    let number = call.caller.number.expose().as_deref().unwrap_or("anonymous");
    let waits = now.since(call.arrived).as_secs();
    Line::new(format!("{number:<16} {:<10} {waits:>5} s", call.queue.as_str()), Tone::Plain)
}

fn agent_line(agent: &AgentPicture, now: ClusterTime) -> Line {
    let tone = match agent.state {
        AgentStateName::Ready => Tone::Good,
        AgentStateName::Reserved => Tone::Busy,
        AgentStateName::Talking => Tone::Live,
        AgentStateName::LoggedOut | AgentStateName::NotReady | AgentStateName::WrapUp => {
            Tone::Faint
        }
    };
    let text = format!(
        "{:<6} {:<10} {:>5} s  {:<10}  {}",
        agent.id.as_str(),
        format!("{:?}", agent.state),
        now.since(agent.since).as_secs(),
        agent.reason.as_deref().unwrap_or(""),
        agent.call.map(|call| call.to_string()).unwrap_or_default(),
    );
    Line::new(text, tone)
}
