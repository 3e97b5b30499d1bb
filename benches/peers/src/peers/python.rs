//! NumPy and SciPy, in a process of their own that times itself.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The process, and the folder through which audio is handed over.
pub struct Python {
    /// The libraries' versions.
    pub version: String,
    talk: RefCell<Talk>,
    folder: PathBuf,
}

struct Talk {
    process: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Python {
    /// Starts the process.
    pub fn start() -> Result<Self, String> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python_peers.py");
        let mut process = Command::new("python3")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("python3: {error}"))?;
        let to = process.stdin.take().ok_or("no pipe to python3")?;
        let from = process.stdout.take().ok_or("no pipe from python3")?;
        let folder = std::env::temp_dir().join(format!("auralis-peers-{}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let talk = Talk {
            process,
            to,
            from: BufReader::new(from),
        };
        let mut this = Self {
            version: String::new(),
            talk: RefCell::new(talk),
            folder,
        };
        this.version = this.ask(&["versions"])?;
        Ok(this)
    }

    /// Sends a command and returns the answer.
    pub fn ask(&self, command: &[&str]) -> Result<String, String> {
        let mut talk = self.talk.borrow_mut();
        let mut answer = String::new();
        writeln!(talk.to, "{}", command.join("\t"))
            .and_then(|()| talk.to.flush())
            .and_then(|()| talk.from.read_line(&mut answer))
            .map_err(|error| format!("python3: {error}"))?;
        match answer.trim_end() {
            "" => Err("python3 ended: are NumPy and SciPy there?".into()),
            answer => Ok(answer.to_owned()),
        }
    }

    /// Prepares a job on audio.
    pub fn set(&self, job: &str, audio: &[&[f32]], last: &str) -> Result<(), String> {
        let mut command = vec!["set".to_owned(), job.to_owned()];
        for (index, samples) in audio.iter().enumerate() {
            let file = self.folder.join(format!("{index}.f32"));
            let bytes: Vec<u8> = samples.iter().flat_map(|x| x.to_le_bytes()).collect();
            std::fs::write(&file, bytes).map_err(|error| error.to_string())?;
            command.push(file.display().to_string());
        }
        if !last.is_empty() {
            command.push(last.to_owned());
        }
        let command: Vec<_> = command.iter().map(String::as_str).collect();
        self.ask(&command).map(|_| ())
    }

    /// The answer of the job.
    pub fn answer(&self) -> Vec<f32> {
        let file = self.folder.join("answer.f32");
        let bytes = self
            .ask(&["answer", &file.display().to_string()])
            .and_then(|_| std::fs::read(&file).map_err(|error| error.to_string()))
            .unwrap_or_default();
        let (samples, _) = bytes.as_chunks();
        samples
            .iter()
            .map(|&bytes| f32::from_le_bytes(bytes))
            .collect()
    }

    /// The nanoseconds of so many calls of the job.
    pub fn time(&self, calls: u32) -> f64 {
        let answer = self.ask(&["time", &calls.to_string()]);
        answer
            .ok()
            .and_then(|ns| ns.parse().ok())
            .unwrap_or(f64::INFINITY)
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let talk = self.talk.get_mut();
        // Both are best effort: the process ends with its pipe, and the folder is a temporary one.
        let _ = talk.process.kill();
        let _ = talk.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
