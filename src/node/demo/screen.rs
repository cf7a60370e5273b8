//! The live view: queues, waiting callers, agents, longest wait, as Carillon reports them.
//!
//! On a terminal the picture is drawn anew four times a second; elsewhere a line is printed every
//! five seconds.
//!
//! Not here: the summary at the end ([`super::print_summary`]), which comes from the phones' own
//! books.

use std::io::IsTerminal;
use std::io::Write;
use std::time::Duration;

use crossterm::cursor;
use crossterm::queue;
use crossterm::style::Print;
use crossterm::style::Stylize;
use crossterm::terminal;

use crate::acd::command::AgentStateName;
use crate::acd::view::AgentPicture;
use crate::acd::view::QueuePicture;
use crate::base::time::ClusterTime;
use crate::cluster::handle::Handle;
use crate::node::clock;

/// Shows the call centre until aborted.
pub(super) async fn show(handle: Handle, invitation: Vec<String>) {
    if std::io::stdout().is_terminal() {
        let mut pace = tokio::time::interval(Duration::from_millis(250));
        loop {
            pace.tick().await;
            // A terminal that cannot be drawn on is no reason to stop the calls.
            let _ = draw(&handle, &invitation);
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
        "waiting {:3}  ringing {:2}  talking {:3}  agents ready {ready:3} of {}  longest wait {} s",
        sum(|queue| queue.waiting),
        sum(|queue| queue.reserved),
        sum(|queue| queue.talking),
        agents.len(),
        longest.map_or(0, |wait| wait.as_secs()),
    )
}

fn draw(handle: &Handle, invitation: &[String]) -> std::io::Result<()> {
    let (_, rows) = terminal::size()?;
    let mut out = std::io::stdout().lock();
    queue!(out, cursor::MoveTo(0, 0))?;
    let mut lines = vec!["Carillon — live".bold().to_string(), String::new()];
    let (queues, agents, now) = handle.view(|view| (view.queues(), view.agents(), clock::wall()));
    let head = "QUEUE        WAITING  RINGING  TALKING  LONGEST  ANSWERED  ABANDONED";
    lines.push(head.bold().to_string());
    lines.extend(queues.iter().map(queue_line));
    lines.push(String::new());
    lines.push("AGENT  STATE      FOR      REASON      CALL".bold().to_string());
    lines.extend(agents.iter().map(|agent| agent_line(agent, now)));
    lines.push(String::new());
    lines.extend(invitation.iter().cloned());
    for line in lines.iter().take(usize::from(rows.saturating_sub(1))) {
        queue!(
            out,
            Print(line),
            terminal::Clear(terminal::ClearType::UntilNewLine),
            Print("\r\n")
        )?;
    }
    queue!(out, terminal::Clear(terminal::ClearType::FromCursorDown))?;
    out.flush()
}

fn queue_line(queue: &QueuePicture) -> String {
    format!(
        "{:<12} {:>7}  {:>7}  {:>7}  {:>5} s  {:>8}  {:>9}",
        queue.id.as_str(),
        queue.waiting,
        queue.reserved,
        queue.talking,
        queue.longest_wait.map_or(0, |wait| wait.as_secs()),
        queue.totals.answered,
        queue.totals.abandoned + queue.totals.short_abandoned,
    )
}

fn agent_line(agent: &AgentPicture, now: ClusterTime) -> String {
    let name = format!("{:?}", agent.state);
    let state = match agent.state {
        AgentStateName::Ready => name.clone().green(),
        AgentStateName::Reserved => name.clone().yellow(),
        AgentStateName::Talking => name.clone().cyan(),
        AgentStateName::LoggedOut | AgentStateName::NotReady | AgentStateName::WrapUp => {
            name.clone().grey()
        }
    };
    format!(
        "{:<6} {state}{:pad$} {:>5} s  {:<10}  {}",
        agent.id.as_str(),
        "",
        now.since(agent.since).as_secs(),
        agent.reason.as_deref().unwrap_or(""),
        agent.call.map(|call| call.to_string()).unwrap_or_default(),
        pad = 10_usize.saturating_sub(name.len()),
    )
}
