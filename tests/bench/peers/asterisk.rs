//! Asterisk 22 in its Debian folder: PJSIP and `Queue()`, as few modules as the workload needs.
//!
//! | chosen | because |
//! |---|---|
//! | `Answer(0,i)` | plain `Answer()` waits half a second for the first packet of a caller |
//! | `autofill`, `rrmemory` | several callers may be handed out at once, to all agents in turn |
//! | music as a µ-law file | it is what phones ask for, so nothing is transcoded |
//! | CDR and CEL off | nobody reads them |
//!
//! Always holds: agent `n` is the endpoint `agent<n>`, known from the start; its phone is at a
//! fixed contact, so that registrations are not measured.
//!
//! Not here: how the folder is made (`tests/bench/run`).

use std::fmt::Write as _;
use std::fs;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use crate::machine::Place;
use crate::machine::Program;
use crate::machine::free_port;
use crate::machine::pause;
use crate::server::Server;
use crate::server::Staff;
use crate::server::wait_for_sip;

/// Ten thousand endpoints take Asterisk 17 seconds on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(120);

/// A minute of music, so that its file is not in one page.
const MUSIC_BYTES: u32 = 8000 * 60;

const MODULES: &str = "pbx_config chan_pjsip app_queue app_dial app_stack res_musiconhold \
    res_pjsip res_pjsip_session res_pjsip_sdp_rtp res_pjsip_caller_id res_pjsip_pubsub \
    res_pjsip_endpoint_identifier_ip res_pjsip_endpoint_identifier_user \
    res_pjsip_endpoint_identifier_anonymous res_pjsip_dtmf_info res_pjsip_nat \
    res_pjsip_rfc3326 res_pjsip_registrar res_pjsip_outbound_registration \
    res_pjsip_authenticator_digest res_rtp_asterisk res_pjproject res_sorcery_config \
    res_sorcery_memory res_sorcery_astdb res_timing_timerfd bridge_simple bridge_native_rtp \
    bridge_builtin_features bridge_softmix bridge_holding format_wav format_pcm codec_ulaw \
    codec_alaw func_callerid func_channel func_strings res_stasis res_stasis_device_state";

const DIALPLAN: &str = "[from-callers]\n\
    exten => queue,1,Answer(0,i)\n\
    same => n,Queue(q1,c)\n\
    same => n,Hangup()\n";

const QUEUE: &str = "[general]\npersistentmembers = yes\nautofill = yes\nshared_lastcall = no\n\
    [q1]\nstrategy = rrmemory\nautofill = yes\nringinuse = no\ntimeout = 15\nretry = 1\n\
    wrapuptime = 0\nmusicclass = default\njoinempty = yes\nleavewhenempty = no\n\
    announce-frequency = 0\n";

const DIRECTORIES: &str = "[directories](!)\n\
    astcachedir => /var/cache/asterisk\nastetcdir => /etc/asterisk\n\
    astmoddir => /usr/lib/x86_64-linux-gnu/asterisk/modules\n\
    astvarlibdir => /var/lib/asterisk\nastdbdir => /var/lib/asterisk\n\
    astkeydir => /var/lib/asterisk\nastdatadir => /usr/share/asterisk\n\
    astagidir => /usr/share/asterisk/agi-bin\nastspooldir => /var/spool/asterisk\n\
    astrundir => /var/run/asterisk\nastlogdir => /var/log/asterisk\n\
    astsbindir => /usr/sbin\n\
    [options]\nverbose = 0\ndebug = 0\n";

/// A running Asterisk.
pub(crate) struct Asterisk {
    program: Program,
    sip: u16,
    manager: u16,
}

impl Asterisk {
    /// Writes its configuration anew and starts it.
    pub(crate) fn start(place: &Place, staff: &Staff) -> Self {
        let (sip, manager) = (free_port(), free_port());
        configure(&place.asterisk, staff, sip, manager);
        let root = place.asterisk.to_string_lossy().into_owned();
        let arguments = [&root, "asterisk", "-f", "-C", "/etc/asterisk/asterisk.conf"];
        let program = place.start("asterisk", "chroot", &arguments.map(str::to_owned));
        let server = Self { program, sip, manager };
        assert!(wait_for_sip(sip, START_LIMIT), "Asterisk: {}", server.program.output());
        // The music class and the queue are loaded a moment after SIP.
        pause(Duration::from_secs(1));
        server
    }

    /// Asks the manager interface; the answers to `count` actions.
    fn ask(&self, actions: &str, count: usize) -> Vec<String> {
        let stream = TcpStream::connect(("127.0.0.1", self.manager)).expect("the manager answers");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a time limit");
        let login = "Action: Login\r\nUsername: bench\r\nSecret: bench\r\nEvents: off\r\n\r\n";
        (&stream).write_all(login.as_bytes()).expect("sent");
        (&stream).write_all(actions.as_bytes()).expect("sent");
        let mut lines = Vec::new();
        let mut responses = 0;
        for line in BufReader::new(&stream).lines() {
            let line = line.expect("the manager answers");
            responses += usize::from(line.starts_with("Response:"));
            let is_over = line.is_empty() && responses > count;
            lines.push(line);
            if is_over {
                break;
            }
        }
        lines
    }
}

impl Server for Asterisk {
    fn program(&mut self) -> &mut Program {
        &mut self.program
    }

    fn target(&self) -> String {
        format!("127.0.0.1:{}", self.sip)
    }

    fn waiting(&mut self) -> u32 {
        let lines = self.ask("Action: Command\r\nCommand: queue show q1\r\n\r\n", 1);
        // `Output: q1 has 500 calls (max unlimited) in 'rrmemory' strategy …`
        let shown = lines.iter().find_map(|line| line.split(" has ").nth(1));
        shown.and_then(|rest| rest.split(' ').next()?.parse().ok()).unwrap_or(0)
    }

    fn free(&mut self, agents: u32) {
        let mut actions = String::new();
        for agent in 0..agents {
            let _ = write!(
                actions,
                "Action: QueuePause\r\nQueue: q1\r\nInterface: PJSIP/agent{agent}\r\n\
                 Paused: false\r\n\r\n"
            );
        }
        let answers = self.ask(&actions, agents as usize);
        let done = answers.iter().filter(|line| *line == "Response: Success").count();
        assert!(done > agents as usize, "Asterisk did not free its agents: {answers:?}");
    }
}

fn configure(root: &Path, staff: &Staff, sip: u16, manager: u16) {
    let etc = root.join("etc/asterisk");
    let _ = fs::remove_dir_all(&etc);
    fs::create_dir_all(&etc).expect("a folder");
    let write = |name: &str, text: &str| fs::write(etc.join(name), text).expect("written");
    write("asterisk.conf", DIRECTORIES);
    write("modules.conf", &modules());
    write(
        "logger.conf",
        "[general]\nqueue_log = yes\n[logfiles]\nmessages.log => notice,warning,error\n",
    );
    write(
        "manager.conf",
        &format!(
            "[general]\nenabled = yes\nport = {manager}\nbindaddr = 127.0.0.1\n\
             [bench]\nsecret = bench\nread = all\nwrite = all\n"
        ),
    );
    write("rtp.conf", "[general]\nrtpstart=24000\nrtpend=31999\n");
    write("musiconhold.conf", "[default]\nmode=files\ndirectory=/var/lib/asterisk/moh\n");
    write("cdr.conf", "[general]\nenable=no\n");
    write("cel.conf", "[general]\nenable=no\n");
    write("indications.conf", "[general]\ncountry=us\n");
    write("extensions.conf", DIALPLAN);
    write("pjsip.conf", &endpoints(staff, sip));
    write("queues.conf", &members(staff));
    for empty in ["features", "stasis", "pjproject", "udptl", "sorcery", "codecs", "ccss"] {
        write(&format!("{empty}.conf"), "");
    }
    forget_the_last_run(root);
}

fn modules() -> String {
    let load = |module: &str| format!("load = {module}.so\n");
    let lines: String = MODULES.split_whitespace().map(load).collect();
    format!("[modules]\nautoload=no\n{lines}")
}

fn endpoints(staff: &Staff, sip: u16) -> String {
    let mut text = format!(
        "[global]\ntype=global\nuser_agent=ast\n\
         endpoint_identifier_order=username,ip,anonymous\n\
         [system]\ntype=system\ntimer_t1=500\ntimer_b=32000\n\
         [t]\ntype=transport\nprotocol=udp\nbind=127.0.0.1:{sip}\n\
         [anonymous]\ntype=endpoint\n{ENDPOINT}"
    );
    for agent in 0..staff.agents {
        let _ = write!(
            text,
            "[agent{agent}]\ntype=aor\ncontact=sip:agent{agent}@127.0.0.1:{}\n\
             qualify_frequency=0\n\
             [agent{agent}]\ntype=endpoint\naors=agent{agent}\n{ENDPOINT}",
            staff.phones
        );
    }
    text
}

const ENDPOINT: &str = "context=from-callers\ndisallow=all\nallow=ulaw\ndirect_media=no\n\
    rtp_symmetric=no\n";

fn members(staff: &Staff) -> String {
    let mut text = QUEUE.to_owned();
    for agent in 0..staff.agents {
        let _ =
            writeln!(text, "member => PJSIP/agent{agent},0,a{agent},PJSIP/agent{agent},no,0,yes");
    }
    text
}

/// Members' states, sockets and logs of the run before; and the music, if it is not there yet.
fn forget_the_last_run(root: &Path) {
    for folder in ["var/run/asterisk", "var/log/asterisk"] {
        let _ = fs::create_dir_all(root.join(folder));
    }
    for (folder, begins) in
        [("var/lib/asterisk", "astdb"), ("var/run/asterisk", ""), ("var/log/asterisk", "")]
    {
        let Ok(entries) = fs::read_dir(root.join(folder)) else { continue };
        let old = |name: &str| name.starts_with(begins);
        for entry in entries.flatten().filter(|entry| old(&entry.file_name().to_string_lossy())) {
            let _ = fs::remove_file(entry.path());
        }
    }
    let music = root.join("var/lib/asterisk/moh");
    fs::create_dir_all(&music).expect("a folder");
    let noise: Vec<u8> =
        (0..MUSIC_BYTES).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    fs::write(music.join("noise.ulaw"), noise).expect("written");
}
