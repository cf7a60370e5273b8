//! The keys that end the demo: `q`, Escape and Ctrl-C.
//!
//! Always holds: the terminal is as it was when the keyboard is dropped; where nobody can type,
//! it is left alone.
//!
//! Not here: what happens at the end ([`super::run`]).

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crossterm::event;
use crossterm::event::Event;
use crossterm::event::KeyCode;
use crossterm::event::KeyModifiers;
use crossterm::terminal;
use tokio::sync::Notify;

/// How soon the keyboard is given back when the demo ends.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A keyboard that is listened to.
pub(super) struct Keyboard {
    is_open: Arc<AtomicBool>,
    ended: Arc<Notify>,
}

impl Keyboard {
    /// Listens, if standard input and output are a terminal.
    pub(super) fn open() -> Self {
        let (is_open, ended) = (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
        let is_terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
        if is_terminal && terminal::enable_raw_mode().is_ok() {
            is_open.store(true, Ordering::Relaxed);
            let (is_open, ended) = (Arc::clone(&is_open), Arc::clone(&ended));
            tokio::task::spawn_blocking(move || listen(&is_open, &ended));
        }
        Self { is_open, ended }
    }

    /// Waits until one of the keys is struck.
    pub(super) async fn ended(&self) {
        self.ended.notified().await;
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        if self.is_open.swap(false, Ordering::Relaxed) {
            // A terminal that cannot be set back is gone.
            let _ = terminal::disable_raw_mode();
        }
    }
}

fn listen(is_open: &AtomicBool, ended: &Notify) {
    while is_open.load(Ordering::Relaxed) {
        match event::poll(LOOK_EVERY) {
            Ok(false) => continue,
            Ok(true) => {}
            Err(_) => return,
        }
        let Ok(Event::Key(key)) = event::read() else { continue };
        let is_control_c =
            key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
        if is_control_c || [KeyCode::Char('q'), KeyCode::Esc].contains(&key.code) {
            ended.notify_one();
        }
    }
}
