//! 6,000 damaged plugins: the host never dies and never hangs, whatever is in the file.
//!
//! A third is cut off at a random length, a third has 1 to 16 bits flipped, a third has 1 to 4 bytes
//! of its first KiB changed. Each is offered pinned, and must be refused; then unpinned, and must be
//! refused or, if it passes the probe, work: the quick part of the suite then runs in the host too.
//! The hosts are processes of their own, so that a death is seen, with the number of the damage.

use std::collections::BTreeMap;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use auralis::registry::Registry;
use auralis::registry::plugin::{Allowance, Loader, Probe, Store, inspect};
use libtest_mimic::{Arguments, Failed, Trial};

/// Each sort of damage is done so often.
const OF_EACH: u64 = 2000;
/// A host sees so many files, then the next takes over.
const PER_HOST: u64 = 250;
/// A host that takes longer for one file hangs: a probe ends after a twentieth of that.
const HANG: Duration = Duration::from_secs(60);
const PROBE_LIMIT: Duration = Duration::from_secs(3);
const HOST: &str = "--host";

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().collect();
    if let [_, flag, damage, from, to] = arguments.as_slice()
        && flag == HOST
    {
        let number = |text: &String| text.parse().expect("the parent writes numbers");
        let damage = Damage::named(damage).expect("the parent names a damage");
        host(damage, number(from)..number(to));
        return ExitCode::SUCCESS;
    }
    let trials = Damage::ALL.iter().map(|&damage| {
        Trial::test(format!("damaged::{}", damage.name()), move || {
            survives(damage)
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

/// What is done to a file.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Damage {
    Truncated,
    BitsFlipped,
    HeaderChanged,
}

impl Damage {
    const ALL: [Self; 3] = [Self::Truncated, Self::BitsFlipped, Self::HeaderChanged];

    const fn name(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::BitsFlipped => "bits_flipped",
            Self::HeaderChanged => "header_changed",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|d| d.name() == name)
    }

    /// The damage of this number: the same at every run.
    fn done(self, whole: &[u8], number: u64) -> Vec<u8> {
        let mut random = Random(number * 3 + self as u64);
        let mut bytes = whole.to_vec();
        match self {
            Self::Truncated => bytes.truncate(random.below(whole.len())),
            Self::BitsFlipped => {
                for _ in 0..=random.below(16) {
                    bytes[random.below(whole.len())] ^= 1 << random.below(8);
                }
            }
            Self::HeaderChanged => {
                for _ in 0..=random.below(4) {
                    // Another value, so that every damage is one.
                    bytes[random.below(1024)] ^= 1 + random.below(255) as u8;
                }
            }
        }
        bytes
    }
}

/// SplitMix64. Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }
}

/// Runs hosts over every damage of one sort, and counts what they say.
fn survives(damage: Damage) -> Result<(), Failed> {
    let mut verdicts: BTreeMap<String, u64> = BTreeMap::new();
    let mut seen = 0;
    for from in (0..OF_EACH).step_by(PER_HOST as usize) {
        for line in output_of_host(damage, from, (from + PER_HOST).min(OF_EACH))? {
            *verdicts.entry(line).or_default() += 1;
            seen += 1;
        }
    }
    for (verdict, count) in &verdicts {
        println!("{:14} {count:5}  {verdict}", damage.name());
    }
    match seen {
        OF_EACH => Ok(()),
        seen => Err(format!("{seen} verdicts on {OF_EACH} files").into()),
    }
}

/// One line per file of a host that must end by itself.
fn output_of_host(damage: Damage, from: u64, to: u64) -> Result<Vec<String>, Failed> {
    let output = tempfile::NamedTempFile::new()?;
    let mut host = Command::new(std::env::current_exe()?)
        .args([HOST, damage.name(), &from.to_string(), &to.to_string()])
        .stdout(output.reopen()?)
        .stderr(Stdio::null())
        .spawn()?;
    let lines = || -> std::io::Result<Vec<String>> {
        let text = std::fs::read(output.path())?;
        Ok(String::from_utf8_lossy(&text)
            .lines()
            .map(String::from)
            .collect())
    };
    let (mut before, mut since) = (0, Instant::now());
    let status = loop {
        if let Some(status) = host.try_wait()? {
            break status;
        }
        std::thread::sleep(Duration::from_millis(20));
        let now = output.path().metadata()?.len();
        if now != before {
            (before, since) = (now, Instant::now());
        }
        if since.elapsed() > HANG {
            host.kill()?;
            host.wait()?;
            let number = from + lines()?.len() as u64;
            return Err(format!("the host hangs on {} number {number}", damage.name()).into());
        }
    };
    let lines = lines()?;
    if !status.success() {
        let number = from + lines.len() as u64;
        return Err(format!(
            "the host died of {} number {number}: {status}",
            damage.name()
        )
        .into());
    }
    Ok(lines)
}

/// Offers each damaged file pinned and unpinned; prints a line for each.
fn host(damage: Damage, numbers: std::ops::Range<u64>) {
    let whole = stripped();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = || Store::at(folder.path().join("store")).expect("a store");
    let probe = Probe::new(env!("CARGO_BIN_EXE_auralis")).time_limit(PROBE_LIMIT);
    let loader = Loader::new(store(), Some(probe));
    let path = folder.path().join("damaged.so");
    std::fs::write(&path, &whole).expect("room for a file");
    let pin = inspect(&path, &Allowance::default(), None).sha256;
    let pinned = Allowance {
        pin,
        ..Allowance::default()
    };
    for number in numbers {
        std::fs::write(&path, damage.done(&whole, number)).expect("room for a file");
        let outcome = loader.load(&path, &pinned);
        assert!(outcome.is_err(), "the pin is that of the whole file");
        println!("{}", verdict(&loader, &path));
        // What was loaded stays mapped; its copy need not stay on the disk.
        std::fs::remove_dir_all(folder.path().join("store")).ok();
        store();
    }
}

fn verdict(loader: &Loader, path: &Path) -> String {
    let mut registry = Registry::empty();
    let loaded = loader
        .load(path, &Allowance::default())
        .and_then(|plugin| plugin.insert_into(&mut registry));
    match loaded {
        Err(error) => format!("refused: {}", sort_of(&error.report())),
        Ok(()) => match auralis::plugins::self_test(&registry) {
            Ok(()) => "works".into(),
            Err(error) => panic!("passed the probe and fails here: {}", error.report()),
        },
    }
}

/// A reason without what differs from file to file.
fn sort_of(reason: &str) -> String {
    let (before, what) = match reason.split_once("put in quarantine: ") {
        Some((_, what)) => ("test run: ", what),
        None => ("", reason),
    };
    let words = what.split(['(', ':', '`', '"']).next().unwrap_or_default();
    let words: String = words.chars().filter(|c| !c.is_ascii_digit()).collect();
    format!("{before}{}", words.trim())
}

/// The plugin that cargo built beside this test, without its debug information where `strip` can be
/// had: a release has none either.
fn stripped() -> Vec<u8> {
    let name = format!("{DLL_PREFIX}plugin_misbehaving{DLL_SUFFIX}");
    let beside: PathBuf = std::env::current_exe()
        .expect("a path of its own")
        .with_file_name(name);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let stripped = folder.path().join("stripped.so");
    let strip = Command::new("strip")
        .arg("-g")
        .arg("-o")
        .args([&stripped, &beside])
        .status();
    match strip {
        Ok(status) if status.success() => std::fs::read(&stripped),
        _ => std::fs::read(&beside),
    }
    .expect("cargo has built the plugin")
}
