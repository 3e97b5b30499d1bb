//! What a library says of itself in its own file: read, checked against this host, compared with the
//! code.

use std::collections::BTreeSet;

use auralis_abi::{ABI_STABLE_LINE, ABI_VERSION, Plugin, PluginBackend, PluginKernel, TARGET};
use auralis_core::manifest::{BACKEND, KERNEL, PLUGIN, SECTION};
use auralis_core::{Accelerator, BufferPool, Cache, CpuFeatures, Executor, Kind, Profiler, Result};
use object::read::macho::{FatArch, MachOFatFile32, MachOFatFile64};
use object::{Architecture, FileKind, Object, ObjectSection};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::rejected;
use crate::Offer;

/// The kinds whose backends this host can take from a plugin. Others are passed over.
const KINDS: &[&str] = &[
    <dyn Accelerator>::NAME,
    <dyn BufferPool>::NAME,
    <dyn Cache>::NAME,
    <dyn Executor>::NAME,
    <dyn Profiler>::NAME,
];

/// A record is a line of text and a schema; all of them are read into memory.
const MOST_BYTES: u64 = 4 << 20;

/// What the section `.auralis` of a library holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The plugin as such.
    pub plugin: PluginRecord,
    /// Its backends, by kind and id.
    pub backends: Vec<BackendRecord>,
    /// Its kernels of authors' own, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kernels: Vec<KernelRecord>,
}

/// What a plugin says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginRecord {
    /// The version of the ABI that it speaks.
    pub abi: u32,
    /// The name of its crate.
    pub name: String,
    /// The version of its crate.
    pub version: String,
    /// The target triple that it was built for.
    pub target: String,
    /// What its panics do: `unwind` or `abort`.
    pub panic: String,
    /// The line of abi_stable that describes its layouts; `None`: they are not described.
    #[serde(default)]
    pub abi_stable: Option<String>,
}

/// What a plugin says of one backend: [`Descriptor`](auralis_core::Descriptor), owned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BackendRecord {
    /// The name of its kind in the configuration.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// What it is, in one line.
    pub summary: String,
    /// The version of the crate that brings it.
    pub version: String,
    /// Its rank.
    pub rank: i32,
    /// The names of the CPU features that it needs.
    pub requires: Vec<String>,
    /// What it offers of its kind's optional parts.
    pub capabilities: Vec<String>,
    /// The JSON Schema of its options.
    pub options_schema: Value,
}

/// What a plugin says of one kernel of an author's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KernelRecord {
    /// Its name.
    pub name: String,
    /// What it does, in one line.
    pub summary: String,
    /// The version of the crate that brings it.
    pub version: String,
    /// How many sources it reads.
    pub sources: usize,
    /// The names of its parameters.
    pub parameters: Vec<String>,
    /// Its variants besides the reference, from plain to best.
    pub variants: Vec<VariantRecord>,
}

/// What a plugin says of a variant of a kernel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariantRecord {
    /// Its id.
    pub id: String,
    /// The names of the CPU features that it needs.
    pub requires: Vec<String>,
}

impl VariantRecord {
    /// The features that it needs and `cpu` lacks, or that this host does not know.
    pub fn missing(&self, cpu: CpuFeatures) -> Vec<&str> {
        missing(&self.requires, cpu)
    }
}

impl From<&PluginKernel> for KernelRecord {
    fn from(kernel: &PluginKernel) -> Self {
        let facts = kernel.facts();
        let parameters = facts.parameters.iter().map(|(name, _, _)| name.clone());
        let variants = facts.variants.iter().skip(1).map(|variant| VariantRecord {
            id: variant.id.clone(),
            requires: variant
                .requires
                .names()
                .map(str::to_owned)
                .chain(variant.requires_unknown.iter().cloned())
                .collect(),
        });
        Self {
            name: facts.name.clone(),
            summary: facts.summary.clone(),
            version: facts.version.clone(),
            sources: facts.sources,
            parameters: parameters.collect(),
            variants: variants.collect(),
        }
    }
}

impl KernelRecord {
    fn difference(&self, plugin: &Plugin) -> Option<String> {
        let name = &self.name;
        let served = plugin.kernels().iter().find(|k| k.facts().name == *name);
        let Some(served) = served.map(Self::from) else {
            return Some(format!(
                "it names the kernel {name}, which the code does not serve"
            ));
        };
        let of = |what| format!("the {what} of the kernel {name}");
        let sorted = |record: &Self| {
            let variants = record.variants.iter();
            let sorted = variants.map(|v| (v.id.clone(), set(v.requires.iter().cloned())));
            sorted.collect::<Vec<_>>()
        };
        differs(&of("version"), &self.version, &served.version)
            .or_else(|| differs(&of("summary"), &self.summary, &served.summary))
            .or_else(|| differs(&of("number of sources"), self.sources, served.sources))
            .or_else(|| differs(&of("parameters"), &self.parameters, &served.parameters))
            .or_else(|| differs(&of("variants"), sorted(self), sorted(&served)))
    }
}

/// The features of `requires` that `cpu` lacks, or that this host does not know.
fn missing(requires: &[String], cpu: CpuFeatures) -> Vec<&str> {
    let lacks = |name: &&str| CpuFeatures::parse(name).is_none_or(|feature| !cpu.contains(feature));
    requires.iter().map(String::as_str).filter(lacks).collect()
}

impl BackendRecord {
    /// The features that it needs and `cpu` lacks, or that this host does not know.
    pub fn missing(&self, cpu: CpuFeatures) -> Vec<&str> {
        missing(&self.requires, cpu)
    }

    fn name(&self) -> String {
        format!("{}/{}", self.kind, self.id)
    }
}

impl Manifest {
    /// Reads the manifest of a library.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Plugin`](auralis_core::ErrorKind::Plugin): there is none, or it is not one.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let library = library(bytes)?;
        let Some(section) = library.section_by_name(SECTION) else {
            return Err(rejected(format!(
                "the library has no manifest: it lacks the section `{SECTION}`"
            )));
        };
        let len = section.size();
        if len > MOST_BYTES {
            return Err(malformed(format!(
                "has {len} bytes, {MOST_BYTES} is the most"
            )));
        }
        let section = section.data().map_err(|e| damaged(&e))?;
        Self::parse(section)
    }

    fn parse(section: &[u8]) -> Result<Self> {
        let (mut plugins, mut backends) = (Vec::new(), Vec::<BackendRecord>::new());
        let mut kernels = Vec::<KernelRecord>::new();
        for text in section.split(|b| *b == 0).filter(|text| !text.is_empty()) {
            let text = str::from_utf8(text).map_err(|e| malformed("is not UTF-8").because(e))?;
            match text.split_once(' ') {
                Some((PLUGIN, record)) => plugins.push(json(PLUGIN, record)?),
                Some((BACKEND, record)) => backends.push(json(BACKEND, record)?),
                Some((KERNEL, record)) => kernels.push(json(KERNEL, record)?),
                // A later release may have more to say.
                Some((word, _)) if word.starts_with("auralis-") => {}
                _ => {
                    return Err(malformed(format!(
                        "holds {:?}, which is no record",
                        start(text)
                    )));
                }
            }
        }
        let count = plugins.len();
        let (Some(plugin), 1) = (plugins.pop(), count) else {
            let message = format!("has {count} records of the plugin instead of one");
            return Err(malformed(message));
        };
        backends.sort_by(|a, b| (&a.kind, &a.id).cmp(&(&b.kind, &b.id)));
        if let Some(twice) = backends.windows(2).find(|w| w[0].name() == w[1].name()) {
            let message = format!("has two records of the backend {}", twice[0].name());
            return Err(malformed(message));
        }
        kernels.sort_by(|a, b| a.name.cmp(&b.name));
        if let Some(twice) = kernels.windows(2).find(|w| w[0].name == w[1].name) {
            let message = format!("has two records of the kernel {}", twice[0].name);
            return Err(malformed(message));
        }
        Ok(Self {
            plugin,
            backends,
            kernels,
        })
    }

    /// Whether the plugin can run in this host, on a CPU with these features. `abort`: its panics may
    /// end the process.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Plugin`](auralis_core::ErrorKind::Plugin) that says what does not fit.
    pub fn fits(&self, cpu: CpuFeatures, abort: bool) -> Result<()> {
        let PluginRecord {
            abi,
            target,
            panic,
            abi_stable,
            ..
        } = &self.plugin;
        if *abi != ABI_VERSION {
            let message = format!("the plugin speaks ABI {abi}, this host ABI {ABI_VERSION}");
            return Err(rejected(message));
        }
        if target != TARGET {
            let message = format!("the plugin was built for {target}, this host for {TARGET}");
            return Err(rejected(message));
        }
        if panic != "unwind" && !abort {
            let message = format!(
                "the plugin was built with panic = {panic:?}, so that a panic of it ends the whole \
                 process; `allow_abort = true` beside its file allows that"
            );
            return Err(rejected(message));
        }
        let line = format!("{}.{}", ABI_STABLE_LINE >> 16, ABI_STABLE_LINE & 0xFFFF);
        if let Some(theirs) = abi_stable.as_ref().filter(|theirs| **theirs != line) {
            let message = format!(
                "the plugin describes its layouts by abi_stable {theirs}, this host reads {line}"
            );
            return Err(rejected(message));
        }
        self.runs_on(cpu)
    }

    /// A plugin of which a part can't run here is still good for the rest.
    fn runs_on(&self, cpu: CpuFeatures) -> Result<()> {
        // The reference of a kernel runs everywhere.
        if !self.kernels.is_empty() {
            return Ok(());
        }
        let mut missing = BTreeSet::new();
        for backend in self.known() {
            match backend.missing(cpu) {
                here if here.is_empty() => return Ok(()),
                lacking => missing.extend(lacking),
            }
        }
        if missing.is_empty() {
            let message = "the plugin has no backend of a kind that this host takes from plugins";
            return Err(rejected(message).with("kinds", KINDS.join(", ")));
        }
        let (unknown, lacking): (Vec<_>, Vec<_>) = missing
            .into_iter()
            .partition(|name| CpuFeatures::parse(name).is_none());
        let (message, names) = match lacking.as_slice() {
            [] => (
                "every backend of the plugin needs CPU features that this host does not know",
                unknown,
            ),
            _ => (
                "every backend of the plugin needs CPU features that this CPU lacks",
                lacking,
            ),
        };
        Err(rejected(message).with("features", names.join(", ")))
    }

    /// The backends of the kinds that this host knows.
    fn known(&self) -> impl Iterator<Item = &BackendRecord> {
        let known = |backend: &&BackendRecord| KINDS.contains(&backend.kind.as_str());
        self.backends.iter().filter(known)
    }

    /// What the plugin would bring.
    pub fn offers(&self) -> Vec<Offer> {
        let offer = |backend: &BackendRecord| Offer {
            kind: backend.kind.clone(),
            id: backend.id.clone(),
            version: Some(backend.version.clone()),
            rank: Some(backend.rank),
            requires: backend.requires.clone(),
        };
        let kernels = self
            .kernels
            .iter()
            .map(|kernel| Offer::kernel(&kernel.name));
        self.backends.iter().map(offer).chain(kernels).collect()
    }

    /// The features that its backends and kernels need, all together.
    pub(super) fn requires(&self) -> Vec<&str> {
        let backends = self.backends.iter().flat_map(|b| &b.requires);
        let variants = self.kernels.iter().flat_map(|k| &k.variants);
        let names: BTreeSet<_> = backends.chain(variants.flat_map(|v| &v.requires)).collect();
        names.into_iter().map(String::as_str).collect()
    }

    /// Whether the code serves what the file says.
    pub(super) fn compare(&self, served: &Plugin) -> Result<()> {
        let difference = self.difference(served);
        difference.map_or(Ok(()), |difference| {
            Err(rejected(format!("the manifest is forged: {difference}")))
        })
    }

    fn difference(&self, served: &Plugin) -> Option<String> {
        differs("the name of the plugin", &self.plugin.name, served.name())
            .or_else(|| {
                let (said, is) = (&self.plugin.version, served.version());
                differs("the version of the plugin", said, is)
            })
            .or_else(|| self.known().find_map(|said| said.difference(served)))
            .or_else(|| self.kernels.iter().find_map(|said| said.difference(served)))
            .or_else(|| {
                let said = |name: &str| self.kernels.iter().any(|k| k.name == name);
                let mut names = served.kernels().iter().map(|k| &k.facts().name);
                let unsaid = names.find(|name| !said(name))?;
                Some(format!(
                    "the code serves the kernel {unsaid}, of which it says nothing"
                ))
            })
            .or_else(|| {
                let unsaid = served
                    .backends()
                    .iter()
                    .find(|b| self.record(b).is_none())?;
                Some(format!(
                    "the code serves the backend {}/{}, of which it says nothing",
                    unsaid.kind, unsaid.id
                ))
            })
    }

    fn record(&self, served: &PluginBackend) -> Option<&BackendRecord> {
        self.backends.iter().find(|said| said.describes(served))
    }
}

impl BackendRecord {
    fn describes(&self, served: &PluginBackend) -> bool {
        (&self.kind, &self.id) == (&served.kind, &served.id)
    }

    fn difference(&self, plugin: &Plugin) -> Option<String> {
        let name = self.name();
        let Some(served) = plugin.backends().iter().find(|b| self.describes(b)) else {
            return Some(format!(
                "it names the backend {name}, which the code does not serve"
            ));
        };
        let of = |what| format!("the {what} of {name}");
        let requires = served.requires.names().map(str::to_owned);
        let requires = requires.chain(served.requires_unknown.iter().cloned());
        differs(&of("version"), &self.version, &served.version)
            .or_else(|| differs(&of("rank"), self.rank, served.rank))
            .or_else(|| differs(&of("summary"), &self.summary, &served.summary))
            .or_else(|| {
                let said = set(self.requires.iter().cloned());
                differs(&of("required CPU features"), said, set(requires))
            })
            .or_else(|| {
                let said = set(self.capabilities.iter().cloned());
                let is = set(served.capabilities.iter().cloned());
                differs(&of("capabilities"), said, is)
            })
            .or_else(|| {
                let is: Value = serde_json::from_str(&served.options_schema).unwrap_or_default();
                (is != self.options_schema).then(|| {
                    format!(
                        "the schema of {name}'s options is another than the one that the code gives"
                    )
                })
            })
    }
}

fn differs<T: PartialEq<U> + std::fmt::Debug, U: std::fmt::Debug>(
    what: &str,
    said: T,
    is: U,
) -> Option<String> {
    (said != is).then(|| format!("{what} is {is:?}, it says {said:?}"))
}

fn set(names: impl Iterator<Item = String>) -> BTreeSet<String> {
    names.collect()
}

/// The library of this host's machine in the file.
pub(super) fn library(bytes: &[u8]) -> Result<object::File<'_>> {
    let part = match FileKind::parse(bytes).map_err(|e| damaged(&e))? {
        FileKind::MachOFat32 => {
            let fat = MachOFatFile32::parse(bytes).map_err(|e| damaged(&e))?;
            part(fat.arches(), bytes)?
        }
        FileKind::MachOFat64 => {
            let fat = MachOFatFile64::parse(bytes).map_err(|e| damaged(&e))?;
            part(fat.arches(), bytes)?
        }
        _ => bytes,
    };
    object::File::parse(part).map_err(|e| damaged(&e))
}

fn part<'a>(libraries: &[impl FatArch], bytes: &'a [u8]) -> Result<&'a [u8]> {
    let here = match std::env::consts::ARCH {
        "x86_64" => Architecture::X86_64,
        "aarch64" => Architecture::Aarch64,
        _ => Architecture::Unknown,
    };
    let ours = libraries.iter().find(|l| l.architecture() == here);
    let ours = ours.or(libraries.first());
    let Some(library) = ours else {
        return Err(rejected("the file is damaged: it holds no library"));
    };
    library.data(bytes).map_err(|e| damaged(&e))
}

pub(super) fn damaged(error: &object::Error) -> auralis_core::Error {
    rejected(format!("the file is damaged: {error}"))
}

fn json<T: DeserializeOwned>(word: &str, record: &str) -> Result<T> {
    serde_json::from_str(record)
        .map_err(|e| malformed(format!("has a wrong record `{word}`")).because(e))
}

pub(super) fn malformed(why: impl std::fmt::Display) -> auralis_core::Error {
    rejected(format!("the library's manifest {why}"))
}

/// The first characters, for a message.
fn start(text: &str) -> String {
    text.chars().take(24).collect()
}
