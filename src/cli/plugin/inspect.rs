//! `auralis plugin inspect`: what a plugin's file says of itself, without running any code of it.

use std::path::{Path, PathBuf};

use auralis_core::{CpuFeatures, REFERENCE};
use auralis_registry::RejectedPlugin;
use auralis_registry::plugin::{
    Allowance, BackendRecord, Inspection, KernelRecord, Manifest, PluginRecord, Store, Verdict,
    inspect,
};
use clap::Args;
use serde::Serialize;

use crate::cli::{Global, Outcome, Stop, advice, output};

/// Says what a plugin is and whether it would be loaded, and runs no code of it.
#[derive(Debug, Args)]
pub struct Inspect {
    /// The plugin
    file: PathBuf,
}

impl Inspect {
    /// Runs the verb.
    pub fn run(&self, global: &Global) -> Outcome {
        let file = super::named(&self.file)?;
        let allowance = super::Allowed::find(global)?.of(&file);
        let plugin = Plugin::inspected(file, &allowance);
        plugin.print(global)?;
        match plugin.verdict {
            Verdict::Accepted => Ok(()),
            _ => Err(Stop::Rejected),
        }
    }
}

/// One object of `plugin inspect --json` and `plugin list --json`. What could not be read is `null`.
#[derive(Debug, Serialize)]
#[serde(tag = "schema", rename = "auralis.plugin/1")]
pub struct Plugin {
    file: PathBuf,
    sha256: Option<String>,
    abi: Option<u32>,
    name: Option<String>,
    version: Option<String>,
    target: Option<String>,
    panic: Option<String>,
    abi_stable: Option<String>,
    backends: Vec<Backend>,
    /// Kernels of authors' own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    kernels: Vec<KernelRecord>,
    /// Whether the configuration pins it by its hash.
    pinned: bool,
    /// Whether it is sealed, and as it was when that was done.
    sealed: bool,
    /// Whether it passed a test run in this host, on this CPU.
    probed: bool,
    /// What that showed, and which ids clash with another's.
    notes: Vec<String>,
    pub verdict: Verdict,
    reason: Option<String>,
}

#[derive(Debug, Serialize)]
struct Backend {
    kind: String,
    id: String,
    summary: String,
    version: String,
    rank: i32,
    requires: Vec<String>,
    capabilities: Vec<String>,
    available: bool,
}

impl Plugin {
    /// Inspects a file, with what is known of its hash.
    pub fn inspected(file: PathBuf, allowance: &Allowance) -> Self {
        // Without a place for caches nothing is known of any file.
        let store = Store::for_user().ok();
        Self::new(inspect(&file, allowance, store.as_ref()), allowance)
    }

    fn new(inspection: Inspection, allowance: &Allowance) -> Self {
        let Inspection {
            file,
            sha256,
            manifest,
            verdict,
            reason,
            notes,
            sealed,
            probed,
        } = inspection;
        let (plugin, backends, kernels) = match manifest {
            Some(Manifest {
                plugin,
                backends,
                kernels,
            }) => (Some(plugin), backends, kernels),
            None => (None, Vec::new(), Vec::new()),
        };
        let of = |get: fn(&PluginRecord) -> String| plugin.as_ref().map(get);
        Self {
            file,
            sha256,
            abi: plugin.as_ref().map(|p| p.abi),
            name: of(|p| p.name.clone()),
            version: of(|p| p.version.clone()),
            target: of(|p| p.target.clone()),
            panic: of(|p| p.panic.clone()),
            abi_stable: plugin.as_ref().and_then(|p| p.abi_stable.clone()),
            backends: backends.into_iter().map(Backend::from).collect(),
            kernels,
            pinned: allowance.voucher.pin().is_some(),
            sealed,
            probed,
            notes,
            verdict,
            reason: reason.map(|reason| format!("{reason}{}", advice(&reason))),
        }
    }

    /// What it would bring, by kind and id: nothing if it would not be loaded anyway.
    pub fn brings(&self) -> impl Iterator<Item = (&str, &str)> {
        let backends = match self.verdict {
            Verdict::Accepted => self.backends.as_slice(),
            _ => &[],
        };
        backends.iter().map(|b| (&*b.kind, &*b.id))
    }

    /// Its file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Says more of it.
    pub fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// What is not even a file that can be inspected.
    pub fn rejected(plugin: RejectedPlugin) -> Self {
        let inspection = Inspection {
            file: plugin.file,
            sha256: None,
            manifest: None,
            verdict: Verdict::Rejected,
            reason: Some(plugin.reason),
            notes: Vec::new(),
            sealed: false,
            probed: false,
        };
        Self::new(inspection, &Allowance::default())
    }

    /// Prints it as an object or as lines.
    pub fn print(&self, global: &Global) -> Outcome {
        if global.json {
            return output::json(self);
        }
        let line = |what: &str, text: &str| output::line(format_args!("{what:<9} {text}"));
        line("file", &self.file.display().to_string())?;
        if let Some(sha256) = &self.sha256 {
            line("sha256", sha256)?;
        }
        if let Some(text) = self.header() {
            line("plugin", &text)?;
        }
        for backend in &self.backends {
            line("backend", &backend.headline())?;
            for detail in backend.details() {
                line("", &detail)?;
            }
        }
        for kernel in &self.kernels {
            let variants = kernel.variants.iter().map(|v| v.id.as_str());
            let variants: Vec<_> = std::iter::once(REFERENCE).chain(variants).collect();
            let KernelRecord { name, version, .. } = kernel;
            line("kernel", &format!("{name} {version}: {}", kernel.summary))?;
            line("", &format!("variants {}", variants.join(", ")))?;
        }
        for note in &self.notes {
            line("note", note)?;
        }
        line("verdict", &self.verdict_in_words())?;
        match &self.reason {
            Some(reason) => line("reason", reason),
            None => Ok(()),
        }
    }

    fn header(&self) -> Option<String> {
        let (name, version) = (self.name.as_ref()?, self.version.as_ref()?);
        let (abi, target, panic) = (self.abi?, self.target.as_ref()?, self.panic.as_ref()?);
        let sealed = if self.sealed { ", sealed" } else { "" };
        Some(format!(
            "{name} {version}, ABI {abi}, for {target}, panic = {panic}{sealed}"
        ))
    }

    fn verdict_in_words(&self) -> String {
        match self.verdict {
            Verdict::Rejected => "rejected".into(),
            Verdict::Quarantined => "quarantined".into(),
            Verdict::Accepted => {
                let run = match self.probed {
                    true => "passed its test run",
                    false => "not yet run",
                };
                let vouched = match (self.pinned, self.sealed) {
                    (true, _) => ", pinned",
                    (false, true) => "",
                    (false, false) => ", to be pinned or sealed before it is loaded",
                };
                format!("accepted, {run}{vouched}")
            }
        }
    }
}

impl From<BackendRecord> for Backend {
    fn from(record: BackendRecord) -> Self {
        let available = record.missing(CpuFeatures::detect()).is_empty();
        let BackendRecord {
            kind,
            id,
            summary,
            version,
            rank,
            requires,
            capabilities,
            ..
        } = record;
        Self {
            kind,
            id,
            summary,
            version,
            rank,
            requires,
            capabilities,
            available,
        }
    }
}

impl Backend {
    fn headline(&self) -> String {
        let Self {
            kind,
            id,
            version,
            rank,
            summary,
            ..
        } = self;
        format!("{kind}/{id} {version}, rank {rank}: {summary}")
    }

    fn details(&self) -> Vec<String> {
        let mut details = Vec::new();
        if !self.requires.is_empty() {
            let here = if self.available {
                ""
            } else {
                ", which this CPU lacks"
            };
            details.push(format!("needs {}{here}", self.requires.join(", ")));
        }
        if !self.capabilities.is_empty() {
            details.push(format!("offers {}", self.capabilities.join(", ")));
        }
        details
    }
}
