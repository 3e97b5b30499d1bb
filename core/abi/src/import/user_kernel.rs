//! A kernel of an author's own in a plugin: what it says of itself, and how to call it.

use std::collections::BTreeSet;
use std::mem::MaybeUninit;
use std::sync::Arc;

use auralis_core::{
    Bound, CpuFeatures, Error, ErrorKind, KernelFacts, Result, UserKernel, VariantFacts,
};

use super::backend::{parsed, texts};
use super::call::{call, call_at_length, offered};
use super::{rejected, text};
use crate::argument::{Hold, Lower};
use crate::tables::{UserKernelRecord, UserKernelsV1};
use crate::wire::{Slice, SliceMut};

/// A kernel of an author's own that a plugin offers.
#[derive(Clone, Debug)]
pub struct PluginKernel {
    facts: Arc<KernelFacts>,
    name: Arc<str>,
    index: usize,
    table: &'static UserKernelsV1,
}

impl PluginKernel {
    /// The kernels of a plugin, by name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Plugin`] if a kernel is described wrongly or twice.
    ///
    /// # Safety
    ///
    /// The table is that of a library that is never unloaded and keeps the rules of the wire.
    pub(super) unsafe fn list(table: &'static UserKernelsV1) -> Result<Vec<Self>> {
        let incomplete =
            |e: Error| rejected("the plugin's list of kernels is incomplete").because(e);
        let count = offered(table.count, "count").map_err(incomplete)?;
        offered(table.run, "run").map_err(incomplete)?;
        let mut names = BTreeSet::new();
        let mut list = Vec::new();
        // SAFETY: the function takes nothing.
        for index in 0..unsafe { count() } {
            // SAFETY: the caller's promise: what a record points to lives for ever.
            let facts = unsafe { facts(&describe(table, index)?) }?;
            facts
                .validate()
                .map_err(|e| rejected("the plugin describes a kernel wrongly").because(e))?;
            if !names.insert(facts.name.clone()) {
                let message = format!("the plugin has two kernels `{}`", facts.name);
                return Err(rejected(message));
            }
            list.push(Self {
                name: format!("kernel/{}", facts.name).into(),
                facts: Arc::new(facts),
                index,
                table,
            });
        }
        list.sort_by(|a, b| a.facts.name.cmp(&b.facts.name));
        Ok(list)
    }

    /// What is known of it.
    pub fn facts(&self) -> &KernelFacts {
        &self.facts
    }

    /// The kernel in the variant of this number, counted as in [`KernelFacts::variants`]. A fault of
    /// the plugin carries `kernel/` and the name as `backend`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] if this CPU can't run it, or this host does not know what it needs;
    /// [`ErrorKind::NotFound`] if there is no such variant.
    pub fn prepare(&self, variant: usize) -> Result<UserKernel> {
        let missing = self.facts.variants.get(variant);
        let missing = missing.map(|v| v.missing(CpuFeatures::detect()));
        if let Some(missing) = missing.filter(|missing| !missing.is_empty()) {
            let message = "this CPU lacks what the variant of the kernel needs";
            return Err(Error::new(ErrorKind::Unavailable, message)
                .with("kernel", &self.facts.name)
                .with("missing", missing));
        }
        let run = offered(self.table.run, "run")?;
        let (index, name) = (self.index, Arc::clone(&self.name));
        UserKernel::remote(
            Arc::clone(&self.facts),
            variant,
            move |data, sources, parameters| {
                let mut sources = sources.hold();
                let (sources, parameters) = (sources.lower(), Slice::of(parameters));
                let data = SliceMut::of(data);
                // SAFETY: the slices live during the call, and the data is borrowed for it alone.
                unsafe {
                    call("run", &name, |message| {
                        run(index, variant, data, sources, parameters, message)
                    })
                }
            },
        )
    }
}

/// # Safety
///
/// As for [`PluginKernel::list`].
unsafe fn describe(table: &UserKernelsV1, index: usize) -> Result<UserKernelRecord> {
    let function = offered(table.describe, "describe")
        .map_err(|e| rejected("the plugin's list of kernels is incomplete").because(e))?;
    let mut record = MaybeUninit::<UserKernelRecord>::uninit();
    let place = record.as_mut_ptr();
    // SAFETY: the caller's promise; the place may be written.
    unsafe {
        call_at_length("describe", |message| function(index, place, message)).map_err(|e| {
            rejected("the plugin can't describe a kernel")
                .because(e)
                .with("index", index)
        })?;
        // SAFETY: a function that answers OK has written its result.
        Ok(record.assume_init())
    }
}

/// # Safety
///
/// What the record points to is what it claims to be, for ever.
unsafe fn facts(record: &UserKernelRecord) -> Result<KernelFacts> {
    let wrong = |e: Error| rejected("the plugin describes a kernel wrongly").because(e);
    // SAFETY: the caller's promise.
    unsafe {
        let mut parameters = Vec::new();
        for parameter in record.parameters.entries().map_err(wrong)? {
            parameters.push((text(parameter.name)?.into(), parameter.min, parameter.max));
        }
        let mut variants = Vec::new();
        for variant in record.variants.entries().map_err(wrong)? {
            let (requires, requires_unknown) = parsed(texts(variant.requires)?);
            variants.push(VariantFacts {
                id: text(variant.id)?.into(),
                requires,
                requires_unknown,
            });
        }
        Ok(KernelFacts {
            name: text(record.name)?.into(),
            summary: text(record.summary)?.into(),
            version: text(record.version)?.into(),
            sources: record.sources,
            parameters,
            variants,
            bound: Bound {
                relative: record.relative,
                absolute: record.absolute,
            },
        })
    }
}
