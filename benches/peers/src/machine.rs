//! What the figures were taken on and with: the machine, the commit, the versions of the peers.

use std::process::Command;

use auralis::Optimizer;

use crate::groups::Context;
use crate::peers::avutil::Avutil;
use crate::peers::ebur128::Ebur128;
use crate::peers::fftw::Fftw;
use crate::peers::ipp::Ipp;
use crate::peers::mkl::Mkl;
use crate::peers::volk::Volk;
use crate::peers::zita::Zita;

/// Where this program's sources are.
pub const FOLDER: &str = env!("CARGO_MANIFEST_DIR");

/// The crates among the peers.
const CRATES: [&str; 5] = ["biquad", "ebur128", "fft-convolver", "realfft", "rustfft"];

/// The lines that stand above a table.
pub fn lines(context: &Context) -> Vec<(&'static str, String)> {
    vec![
        ("Date", date()),
        ("CPU", cpu()),
        ("Commit", commit()),
        ("Chosen", chosen(&context.optimizer)),
        ("Peers", peers(context).join("; ")),
    ]
}

/// Today, as `YYYY-MM-DD`.
pub fn date() -> String {
    printed("date", &["+%F"]).unwrap_or_else(|| "unknown".into())
}

fn printed(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(FOLDER)
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

fn cpu() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = info
            .lines()
            .find(|line| line.split(':').next().is_some_and(|n| n.trim() == name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let unknown = || "unknown".to_owned();
    format!(
        "{} (family {}, model {}), {cores} core(s) of it for this program",
        field("model name").unwrap_or_else(unknown),
        field("cpu family").unwrap_or_else(unknown),
        field("model").unwrap_or_else(unknown),
    )
}

fn commit() -> String {
    let commit = printed("git", &["rev-parse", "--short=12", "HEAD"]);
    let changed = printed("git", &["status", "--porcelain", "--untracked-files=no"]);
    match (commit, changed.as_deref()) {
        (Some(commit), Some("")) => commit,
        (Some(commit), _) => format!("{commit}, with changes that are not committed"),
        (None, _) => "unknown".into(),
    }
}

fn chosen(optimizer: &Optimizer) -> String {
    let selection = optimizer
        .selections()
        .iter()
        .find(|s| s.kind == "accelerator");
    let Some(selection) = selection else {
        return "put in by hand".into();
    };
    let elsewhere = selection.kernels.iter().flatten();
    let elsewhere: Vec<_> = elsewhere
        .map(|(kernel, id)| format!("{kernel}: {id}"))
        .collect();
    let others = if elsewhere.is_empty() {
        "every kernel".into()
    } else {
        format!("and {}", elsewhere.join(", "))
    };
    format!(
        "{} (decided by {}), {others}",
        selection.chosen, selection.decided_by
    )
}

fn peers(context: &Context) -> Vec<String> {
    let libraries = [
        ("VOLK", Volk::get().map(|l| &l.version)),
        ("IPP", Ipp::get().map(|l| &l.version)),
        ("MKL", Mkl::get().map(|l| &l.version)),
        ("FFTW", Fftw::get().map(|l| &l.version)),
        ("FFmpeg", Avutil::get().map(|l| &l.version)),
        ("zita-convolver", Zita::get().map(|l| &l.version)),
        ("libebur128", Ebur128::get().map(|l| &l.version)),
        (
            "Python",
            context
                .python
                .as_ref()
                .map(|p| &p.version)
                .map_err(String::as_str),
        ),
    ];
    let libraries = libraries.into_iter().map(|(name, version)| match version {
        Ok(version) => version.clone(),
        Err(why) => format!("{name} not there ({why})"),
    });
    let lock = std::fs::read_to_string(format!("{FOLDER}/Cargo.lock")).unwrap_or_default();
    let crates = CRATES.into_iter().map(|name| {
        let entry = lock.split_once(&format!("name = \"{name}\"\nversion = \""));
        let version = entry
            .and_then(|(_, rest)| rest.split('"').next())
            .unwrap_or("unknown");
        format!("crate {name} {version}")
    });
    libraries.chain(crates).collect()
}
