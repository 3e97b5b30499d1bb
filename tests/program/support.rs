//! A folder to run the program in, and what a run leaves.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use auralis::audio::Reader;
use auralis::registry::plugin::{Allowance, Voucher, inspect, seal};
use ebur128::{EbuR128, Mode};
use libtest_mimic::Trial;
use serde_json::Value;
use tempfile::TempDir;

/// A trial that passes unless it panics.
pub fn trial(name: impl Into<String>, run: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name, move || {
        run();
        Ok(())
    })
}

/// The program.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_auralis");

/// A temporary folder with an `auralis.toml`, so that none above it is found.
pub struct Sandbox {
    folder: TempDir,
}

impl Sandbox {
    /// A folder whose configuration is empty.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sandbox = Self { folder };
        sandbox.configure("");
        sandbox
    }

    /// A folder whose configuration is `text`.
    pub fn configured(text: &str) -> Self {
        let sandbox = Self::new();
        sandbox.configure(text);
        sandbox
    }

    pub fn configure(&self, text: &str) {
        self.write("auralis.toml", text.as_bytes());
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, and the folders above it.
    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// `program` in this folder, in an environment that says nothing about the user.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).env_clear();
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        for (variable, folder) in [
            ("HOME", "home"),
            ("XDG_CACHE_HOME", "home/cache"),
            ("XDG_CONFIG_HOME", "home/config"),
        ] {
            command.env(variable, self.path(folder));
        }
        command
    }

    /// Runs the program with the words of `line`, then with `more`.
    pub fn run(&self, line: &str) -> Run {
        self.run_with(line, &[])
    }

    pub fn run_with(&self, line: &str, more: &[&str]) -> Run {
        let mut command = self.command(PROGRAM);
        command.args(line.split_whitespace()).args(more);
        Run::of(&mut command, line)
    }

    /// Every file below, relative and in order, without the configuration and the user's folders.
    pub fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        let mut folders = vec![self.folder.path().to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let path = path.strip_prefix(self.folder.path()).unwrap();
                    files.push(path.to_str().unwrap().to_owned());
                }
            }
        }
        files.retain(|f| f != "auralis.toml" && !f.starts_with("home/"));
        files.sort();
        files
    }
}

/// What a run of the program left.
pub struct Run {
    pub line: String,
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    pub fn of(command: &mut Command, line: &str) -> Self {
        let output = command.output().unwrap();
        Self::from_output(output, line)
    }

    pub fn from_output(output: Output, line: &str) -> Self {
        Self {
            line: line.to_owned(),
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        assert!(!self.stderr.contains("panicked"), "{self}");
        self
    }

    /// That the output or the errors hold each text.
    #[track_caller]
    pub fn says(self, texts: &[&str]) -> Self {
        // Tables wrap long notes.
        let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let all = flat(&format!("{} {}", self.stdout, self.stderr));
        for text in texts {
            assert!(all.contains(&flat(text)), "{text:?} is missing\n{self}");
        }
        self
    }

    /// The objects on standard output, which holds nothing else.
    #[track_caller]
    pub fn objects(&self) -> Vec<Value> {
        let parse = |line: &str| {
            serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}\n{self}"))
        };
        self.stdout.lines().map(parse).collect()
    }

    #[track_caller]
    pub fn object(&self) -> Value {
        let mut objects = self.objects();
        assert_eq!(objects.len(), 1, "{self}");
        objects.remove(0)
    }

    /// The object whose `key` is `value`.
    #[track_caller]
    pub fn object_with(&self, key: &str, value: &str) -> Value {
        let found = self.objects().into_iter().find(|o| o[key] == value);
        found.unwrap_or_else(|| panic!("no {key} {value}\n{self}"))
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            line,
            code,
            stdout,
            stderr,
        } = self;
        write!(
            f,
            "auralis {line}: {code:?}\nstdout: {stdout}\nstderr: {stderr}"
        )
    }
}

/// A decoded file.
pub struct Audio {
    pub sample_rate: u32,
    pub bits: Option<u32>,
    pub planes: Vec<Vec<f32>>,
}

impl Audio {
    pub fn of(path: &Path) -> Self {
        let mut reader = Reader::open(path).unwrap_or_else(|e| panic!("{}", e.report()));
        let spec = reader.spec().clone();
        let mut planes = vec![Vec::new(); spec.channels];
        let mut buffer = vec![vec![0.0; 4096]; spec.channels];
        loop {
            let mut rows: Vec<_> = buffer.iter_mut().map(Vec::as_mut_slice).collect();
            let frames = reader.read(&mut rows).unwrap();
            if frames == 0 {
                break;
            }
            for (plane, part) in planes.iter_mut().zip(&buffer) {
                plane.extend_from_slice(&part[..frames]);
            }
        }
        Self {
            sample_rate: spec.sample_rate,
            bits: spec.bits,
            planes,
        }
    }

    pub fn frames(&self) -> usize {
        self.planes[0].len()
    }

    /// Integrated loudness in LUFS and true peak in dBTP, by a meter that is not ours.
    pub fn levels(&self) -> (f64, f64) {
        let channels = self.planes.len() as u32;
        let mode = Mode::I | Mode::TRUE_PEAK;
        let mut meter = EbuR128::new(channels, self.sample_rate, mode).unwrap();
        let rows: Vec<&[f32]> = self.planes.iter().map(Vec::as_slice).collect();
        meter.add_frames_planar_f32(&rows).unwrap();
        let peak = (0..channels)
            .map(|c| meter.true_peak(c).unwrap())
            .fold(0.0, f64::max);
        (meter.loudness_global().unwrap(), 20.0 * peak.log10())
    }

    /// The largest difference to `other`.
    pub fn distance(&self, other: &Self) -> f32 {
        assert_eq!(self.planes.len(), other.planes.len());
        assert_eq!(self.frames(), other.frames());
        let pairs = self.planes.concat().into_iter().zip(other.planes.concat());
        pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    }
}

/// The plugin that cargo built beside this test.
pub fn plugin(crate_name: &str) -> PathBuf {
    let file = format!(
        "{}{}{}",
        std::env::consts::DLL_PREFIX,
        crate_name.replace('-', "_"),
        std::env::consts::DLL_SUFFIX
    );
    let beside = std::env::current_exe().unwrap().with_file_name(file);
    assert!(beside.is_file(), "cargo has not built {}", beside.display());
    beside
}

/// The entry of `[plugins] allow` for this file, with its pin. What is no file has none.
pub fn pinned(file: &Path) -> String {
    let allowance = Allowance {
        voucher: Voucher::Caller,
        ..Allowance::default()
    };
    match inspect(file, &allowance, None).sha256 {
        Some(sha256) => format!("{{ file = {file:?}, sha256 = \"{sha256}\" }}"),
        None => format!("{{ file = {file:?} }}"),
    }
}

/// The plugin that cargo built beside this test, sealed as one is shipped.
pub fn sealed(crate_name: &str) -> Vec<u8> {
    let built = fs::read(plugin(crate_name)).unwrap();
    seal(&built).unwrap_or_else(|e| panic!("{}", e.report()))
}
