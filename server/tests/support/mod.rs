//! A `muster serve` of a test's own, and what a test asks of it.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use tempfile::TempDir;

pub const EMAIL: &str = "admin@example.com";
pub const PASSWORD: &str = "correct-horse-1";

/// How long a test waits for what should take much less.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A folder, and the settings of the servers and commands on the data in it.
pub struct Place {
    pub folder: TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn database(&self) -> PathBuf {
        self.data().join("muster.db")
    }

    /// `muster` with these arguments, run through another program where one is named.
    pub fn command(&self, through: &[&str], args: &[&str]) -> Command {
        let words: Vec<&str> = through.iter().copied().chain([env!("CARGO_BIN_EXE_muster")]).collect();
        let mut command = Command::new(words[0]);
        command
            .args(&words[1..])
            .args(args)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("MUSTER_DATA_DIR", self.data())
            .env("MUSTER_ADMIN_EMAIL", EMAIL)
            .env("MUSTER_ADMIN_PASSWORD", PASSWORD);
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.command(&[], args).stdin(Stdio::null()).output().unwrap()
    }

    pub fn serve(&self) -> Server {
        self.serve_with(&[])
    }

    /// A server with these variables in its environment.
    pub fn serve_with(&self, settings: &[(&str, &str)]) -> Server {
        let mut command = self.command(&[], &["serve", "--listen", "127.0.0.1:0"]);
        command.envs(settings.iter().copied());
        Server::start(command)
    }

    /// The names in the data folder.
    pub fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.data()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// A server that runs. It is killed when this is dropped.
pub struct Server {
    pub address: String,
    child: Mutex<Child>,
    log: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
}

impl Server {
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let readers = vec![gather(stdout, log.clone()), gather(stderr, log.clone())];
        let mut server = Self { address: String::new(), child: Mutex::new(child), log, readers };
        let line = server.wait_for("Muster is at http://");
        server.address = line.rsplit_once("http://").unwrap().1.to_owned();
        server
    }

    /// All that it has written.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// The warnings and errors that it has written, but for those about a single answer.
    pub fn complaints(&self) -> Vec<String> {
        let log = self.log();
        let is_complaint = |line: &&str| line.contains(" WARN ") || line.contains(" ERROR ");
        log.lines().filter(is_complaint).filter(|line| !line.contains("tower_http")).map(str::to_owned).collect()
    }

    /// Waits for a line with these words, and gives it.
    pub fn wait_for(&self, words: &str) -> String {
        self.wait_for_all(&[words])
    }

    /// Waits for a line with all of these words, and gives it.
    pub fn wait_for_all(&self, words: &[&str]) -> String {
        let begun = Instant::now();
        loop {
            let has_ended = self.child.lock().unwrap().try_wait().unwrap().is_some()
                && self.readers.iter().all(JoinHandle::is_finished);
            let log = self.log();
            if let Some(line) = log.lines().find(|line| words.iter().all(|words| line.contains(words))) {
                return line.to_owned();
            }
            assert!(begun.elapsed() < PATIENCE, "no {words:?} in:\n{log}");
            assert!(!has_ended, "it ended:\n{log}\nThe page must be in it: scripts/build-web");
            thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn pid(&self) -> String {
        self.child.lock().unwrap().id().to_string()
    }

    pub fn signal(&self, name: &str) {
        assert!(Command::new("kill").args(["-s", name, &self.pid()]).status().unwrap().success());
    }

    /// Waits until it has ended.
    pub fn ended(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.lock().unwrap().try_wait().unwrap() {
                for reader in self.readers.drain(..) {
                    reader.join().unwrap();
                }
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "it does not end:\n{}", self.log());
            thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn stop(mut self) -> String {
        self.signal("TERM");
        assert!(self.ended().success(), "{}", self.log());
        self.log()
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], b"")
    }

    /// Calls a server function as the page does.
    pub fn call(&self, function: &str, cookie: &str, content_type: &str, body: &[u8]) -> Answer {
        let origin = format!("http://{}", self.address);
        let headers = [("origin", origin.as_str()), ("cookie", cookie), ("content-type", content_type)];
        self.ask("POST", &format!("/fn/{function}"), &headers, body)
    }

    pub fn call_json(&self, function: &str, cookie: &str, body: &str) -> Answer {
        self.call(function, cookie, "application/json", body.as_bytes())
    }

    /// Signs in, and gives the session's cookie.
    pub fn sign_in(&self) -> String {
        let answer = self.try_sign_in(EMAIL, PASSWORD);
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.cookie().unwrap()
    }

    pub fn try_sign_in(&self, email: &str, password: &str) -> Answer {
        let body = serde_json::json!({ "email": email, "password": password, "to": "/" });
        self.call_json("sign-in", "", &body.to_string())
    }

    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut connection = self.connect();
        connection.write_all(self.head(method, path, headers, body.len()).as_bytes()).unwrap();
        connection.write_all(body).unwrap();
        Answer::read(connection)
    }

    pub fn connect(&self) -> TcpStream {
        let connection = TcpStream::connect(&self.address).unwrap();
        connection.set_read_timeout(Some(PATIENCE)).unwrap();
        connection
    }

    /// Of HTTP/1.0, whose bodies come in one piece and end with the connection.
    pub fn head(&self, method: &str, path: &str, headers: &[(&str, &str)], body_bytes: usize) -> String {
        let mut head = format!("{method} {path} HTTP/1.0\r\nhost: {}\r\n", self.address);
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            head += &format!("{name}: {value}\r\n");
        }
        head + &format!("content-length: {body_bytes}\r\n\r\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(child) = self.child.get_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn gather(pipe: impl Read + Send + 'static, log: Arc<Mutex<String>>) -> JoinHandle<()> {
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            let mut log = log.lock().unwrap();
            log.push_str(&line);
            log.push('\n');
        }
    })
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn read(mut connection: TcpStream) -> Self {
        let mut bytes = Vec::new();
        connection.read_to_end(&mut bytes).unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
        Self { status, head: head.to_owned(), body: body.to_owned() }
    }

    /// The value of a header; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        let headers = self.head.lines().filter_map(|line| line.split_once(':'));
        headers.into_iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value.trim())
    }

    fn cookie(&self) -> Option<String> {
        let line = self.head.lines().find(|line| line.to_lowercase().starts_with("set-cookie:"))?;
        Some(line.split_once(':')?.1.split(';').next()?.trim().to_owned())
    }
}

/// The permissions of a file or folder, as in `chmod`.
#[cfg(unix)]
pub fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().unwrap().permissions().mode() & 0o7777
}

#[cfg(unix)]
pub fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}
