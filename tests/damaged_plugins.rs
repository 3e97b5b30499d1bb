//! 6,000 damaged plugins: the host never dies and never hangs, whatever is in the file.
//!
//! A third is cut off at a random length, a third has 1 to 16 bits flipped, a third has 1 to 4 bytes
//! of its first KiB changed. Each is offered with the pin of the whole file, and must be refused; then
//! without a pin, and must be refused again, by its seal or because it has none: of a plugin that is
//! sealed, as one is shipped, and of one as the linker leaves it.
//!
//! Some are offered as if they had been damaged before they were pinned. Those are refused or, if they
//! pass the test run and then the quick part of the suite in the host too, work. That is as far as a
//! test run goes: code that was right there may end a host that comes to it with other addresses and
//! another stack, seen of about 1 in 2,500 files with flipped bits. The most that is taken here is
//! several times that, and every death is printed with its number.
//!
//! The hosts are processes of their own, so that a death is seen, with the number of the damage. As
//! any program does that calls `probe_if_asked`, a host makes its test runs by itself.

use std::collections::BTreeMap;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use auralis::registry::Registry;
use auralis::registry::plugin::{Allowance, Loader, Probe, Store, Voucher, inspect, seal};
use libtest_mimic::{Arguments, Failed, Trial};

/// Each sort of damage is done so often.
const OF_EACH: u64 = 2000;
/// A host sees so many files, then the next takes over.
const PER_HOST: u64 = 50;
/// Damage that was pinned is done so often, and so many hosts may die of it.
const OF_EACH_PINNED: u64 = 500;
const MOST_DEATHS_OF_PINNED: u64 = 2;
/// A host that takes longer for one file hangs: a probe ends after a twentieth of that.
const HANG: Duration = Duration::from_secs(60);
const PROBE_LIMIT: Duration = Duration::from_secs(3);
const HOST: &str = "--host";
/// The verdict on a file that was loaded and passed the quick part of the suite.
const WORKS: &str = "works";

fn main() -> ExitCode {
    auralis::plugins::probe_if_asked();
    let arguments: Vec<_> = std::env::args().collect();
    if let [_, flag, state, damage, from, to] = arguments.as_slice()
        && flag == HOST
    {
        let number = |text: &String| text.parse().expect("the parent writes numbers");
        let state = State::named(state).expect("the parent names a state");
        let damage = Damage::named(damage).expect("the parent names a damage");
        host(state, damage, number(from)..number(to));
        return ExitCode::SUCCESS;
    }
    let mut trials = Vec::new();
    for state in State::ALL {
        for damage in Damage::ALL {
            let name = format!("damaged::{}::{}", state.name(), damage.name());
            trials.push(Trial::test(name, move || survives(state, damage)));
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// How the file is offered.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    /// It was sealed before the damage.
    Sealed,
    /// It has no seal.
    Unsealed,
    /// It has no seal, and the user vouches for the damaged file.
    Pinned,
}

impl State {
    const ALL: [Self; 3] = [Self::Sealed, Self::Unsealed, Self::Pinned];

    const fn name(self) -> &'static str {
        match self {
            Self::Sealed => "sealed",
            Self::Unsealed => "unsealed",
            Self::Pinned => "pinned",
        }
    }

    /// How many files of each damage are offered.
    const fn files(self) -> u64 {
        match self {
            Self::Sealed | Self::Unsealed => OF_EACH,
            Self::Pinned => OF_EACH_PINNED,
        }
    }

    /// How many hosts may die of them.
    const fn most_deaths(self) -> u64 {
        match self {
            Self::Sealed | Self::Unsealed => 0,
            Self::Pinned => MOST_DEATHS_OF_PINNED,
        }
    }

    fn allowance(self) -> Allowance {
        let voucher = match self {
            Self::Sealed | Self::Unsealed => Voucher::Seal,
            Self::Pinned => Voucher::Caller,
        };
        Allowance {
            voucher,
            ..Allowance::default()
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == name)
    }
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
fn survives(state: State, damage: Damage) -> Result<(), Failed> {
    let mut verdicts: BTreeMap<String, u64> = BTreeMap::new();
    let (mut seen, mut deaths) = (0, 0);
    while seen < state.files() {
        let to = (seen / PER_HOST + 1) * PER_HOST;
        let Host { lines, end } = output_of_host(state, damage, seen, to.min(state.files()))?;
        seen += lines.len() as u64;
        for line in lines {
            *verdicts.entry(line).or_default() += 1;
        }
        if let Some(end) = end {
            println!("a host died of {} number {seen}: {end}", damage.name());
            seen += 1;
            deaths += 1;
        }
    }
    for (verdict, count) in &verdicts {
        println!(
            "{:8} {:14} {count:5}  {verdict}",
            state.name(),
            damage.name()
        );
    }
    let most = state.most_deaths();
    if deaths > most {
        return Err(format!("{deaths} hosts died, at most {most} may").into());
    }
    let works = verdicts.get(WORKS).copied().unwrap_or(0);
    if works > 0 && state != State::Pinned {
        return Err(format!("{works} damaged files were loaded").into());
    }
    let said: u64 = verdicts.values().sum::<u64>() + deaths;
    if said != state.files() {
        return Err(format!("{said} verdicts on {} files", state.files()).into());
    }
    Ok(())
}

/// What became of a host.
struct Host {
    /// One per file.
    lines: Vec<String>,
    /// How it ended, if not by itself.
    end: Option<ExitStatus>,
}

/// Runs a host, which must end.
fn output_of_host(state: State, damage: Damage, from: u64, to: u64) -> Result<Host, Failed> {
    let output = tempfile::NamedTempFile::new()?;
    let mut host = Command::new(std::env::current_exe()?)
        .args([HOST, state.name(), damage.name()])
        .args([from.to_string(), to.to_string()])
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
    Ok(Host {
        lines: lines()?,
        end: Some(status).filter(|status| !status.success()),
    })
}

/// Offers each damaged file with the pin of the whole one and then as the state says; prints a line for
/// each.
fn host(state: State, damage: Damage, numbers: std::ops::Range<u64>) {
    let stripped = stripped();
    let whole = match state {
        State::Sealed => seal(&stripped).expect("it has room for a seal"),
        State::Unsealed | State::Pinned => stripped,
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = || Store::at(folder.path().join("store")).expect("a store");
    let this = std::env::current_exe().expect("a path of its own");
    let probe = Probe::new(this).time_limit(PROBE_LIMIT);
    let loader = Loader::new(store(), Some(probe));
    let path = folder.path().join("damaged.so");
    std::fs::write(&path, &whole).expect("room for a file");
    let pin = inspect(&path, &State::Pinned.allowance(), None).sha256;
    let pinned = Allowance {
        voucher: Voucher::Pin(pin.expect("the file can be read")),
        ..Allowance::default()
    };
    for number in numbers {
        std::fs::write(&path, damage.done(&whole, number)).expect("room for a file");
        let outcome = loader.load(&path, &pinned);
        assert!(outcome.is_err(), "the pin is that of the whole file");
        println!("{}", verdict(&loader, &path, &state.allowance()));
        // What was loaded stays mapped; its copy need not stay on the disk.
        std::fs::remove_dir_all(folder.path().join("store")).ok();
        store();
    }
}

fn verdict(loader: &Loader, path: &Path, allowance: &Allowance) -> String {
    let mut registry = Registry::empty();
    let loaded = loader
        .load(path, allowance)
        .and_then(|plugin| plugin.insert_into(&mut registry));
    match loaded {
        Err(error) => format!("refused: {}", sort_of(&error.report())),
        Ok(()) => match auralis::plugins::self_test(&registry) {
            Ok(()) => WORKS.into(),
            Err(error) => format!("refused: in the host: {}", sort_of(&error.report())),
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
