//! Kernels of an application's own: one function on samples, in variants per instruction set.
//!
//! The author writes the function once as a plain reference, adds variants for CPUs that have more,
//! and says with [`kernel!`](crate::kernel) how far a variant may be from the reference. Selection
//! takes a variant that the CPU can run, the conformance suite holds each to the reference, and a
//! [`UserKernel`] calls the chosen one.

#![allow(
    unsafe_code,
    reason = "a function compiled for CPU features is called, which is unsafe where they are missing"
)]

use std::fmt;
use std::sync::Arc;

use crate::{CpuFeatures, Error, ErrorKind, MAX_CHANNELS, Result};

/// The name by which a configuration asks for the reference of a kernel.
pub const REFERENCE: &str = "reference";

/// The shape of every kernel: changes the samples of the first argument in place. Each of the
/// sources, the second, has as many; the third are the parameters in the order of their
/// declaration.
pub type KernelFn = fn(&mut [f32], &[&[f32]], &[f32]);

/// A [`KernelFn`] that may be called only where the CPU has certain features.
type VariantFn = unsafe fn(&mut [f32], &[&[f32]], &[f32]);

/// What a plugin's kernel is called through.
type RemoteFn = dyn Fn(&mut [f32], &[&[f32]], &[f32]) -> Result<()> + Send + Sync;

/// A number that a kernel takes at each call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameter<'a> {
    /// Its name.
    pub name: &'a str,
    /// The least value that the conformance suite tries.
    pub min: f32,
    /// The greatest value that it tries.
    pub max: f32,
}

/// How far a variant's sample may be from the reference's: `absolute + relative * |reference|`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bound {
    /// In parts of the reference's sample.
    pub relative: f32,
    /// In samples' own units.
    pub absolute: f32,
}

impl Bound {
    /// The same bits.
    pub const EXACT: Self = Self {
        relative: 0.0,
        absolute: 0.0,
    };
}

/// A kernel for CPUs that have certain features.
#[derive(Clone, Copy)]
pub struct Variant {
    id: &'static str,
    requires: CpuFeatures,
    run: VariantFn,
}

impl Variant {
    /// What [`kernel!`](crate::kernel) makes of one of its variants.
    ///
    /// # Safety
    ///
    /// `run` is sound to call with any arguments where the CPU has `requires`.
    #[doc(hidden)]
    pub const unsafe fn new(id: &'static str, requires: CpuFeatures, run: VariantFn) -> Self {
        Self { id, requires, run }
    }

    /// Its name among the kernel's variants.
    pub const fn id(&self) -> &'static str {
        self.id
    }

    /// The CPU features without which it can't run.
    pub const fn requires(&self) -> CpuFeatures {
        self.requires
    }
}

/// Static facts about a kernel, and its code. [`kernel!`](crate::kernel) registers one.
pub struct KernelDescriptor {
    /// Its name: ASCII letters, digits, `-`, `_` and `.`, by custom with the author's name first.
    pub name: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// The version of the crate that brings it.
    pub version: &'static str,
    /// How many sources it reads, at most [`MAX_CHANNELS`].
    pub sources: usize,
    /// What it takes besides samples.
    pub parameters: &'static [Parameter<'static>],
    /// The plain form, which runs everywhere and which says what is right.
    pub reference: KernelFn,
    /// The others, from plain to best.
    pub variants: &'static [Variant],
    /// How far a variant may be from the reference.
    pub bound: Bound,
}

inventory::collect!(KernelDescriptor);

impl KernelDescriptor {
    /// The kernels that crates linked into this program have registered, in no order.
    pub fn linked() -> Vec<&'static Self> {
        inventory::iter::<Self>().collect()
    }

    /// The kernel in this variant: 0 is the reference, others count from 1.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] if this CPU lacks what the variant needs;
    /// [`ErrorKind::NotFound`] if there is none of this number.
    pub fn kernel(&'static self, variant: usize) -> Result<UserKernel> {
        let facts = Arc::new(KernelFacts::from(self));
        let Some(index) = variant.checked_sub(1) else {
            let run = Run::Linked(self.reference as VariantFn);
            return Ok(UserKernel::of(facts, variant, run));
        };
        let Some(chosen) = self.variants.get(index) else {
            return Err(no_variant(self.name, variant));
        };
        let missing = chosen.requires.missing_from(CpuFeatures::detect());
        if !missing.is_empty() {
            let message = "this CPU lacks what the variant of the kernel needs";
            return Err(Error::new(ErrorKind::Unavailable, message)
                .with("kernel", self.name)
                .with("variant", chosen.id)
                .with("missing", missing));
        }
        Ok(UserKernel::of(facts, variant, Run::Linked(chosen.run)))
    }
}

impl fmt::Debug for KernelDescriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "kernel/{}", self.name)
    }
}

/// What is known of a kernel, linked or from a plugin: a [`KernelDescriptor`], owned, without code.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KernelFacts {
    /// Its name.
    pub name: String,
    /// What it does, in one line.
    pub summary: String,
    /// The version of the crate that brings it.
    pub version: String,
    /// How many sources it reads.
    pub sources: usize,
    /// What it takes besides samples: name, least and greatest value.
    pub parameters: Vec<(String, f32, f32)>,
    /// Its variants from plain to best: first the reference, which needs nothing.
    pub variants: Vec<VariantFacts>,
    /// How far a variant may be from the reference.
    pub bound: Bound,
}

/// What is known of a variant of a kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VariantFacts {
    /// Its name among the kernel's variants.
    pub id: String,
    /// The CPU features that it needs, as far as this program knows them.
    pub requires: CpuFeatures,
    /// CPU features that it needs and this program does not know: with any of them it can't run.
    pub requires_unknown: Vec<String>,
}

impl VariantFacts {
    /// What it needs and `cpu` lacks, or this program does not know, by name; empty if it can run.
    pub fn missing(&self, cpu: CpuFeatures) -> String {
        let mut names: Vec<&str> = self.requires.missing_from(cpu).names().collect();
        names.extend(self.requires_unknown.iter().map(String::as_str));
        names.join(", ")
    }
}

impl KernelFacts {
    /// Checks what a kernel says of itself.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`]: more sources than [`MAX_CHANNELS`], two variants of one name, a
    /// parameter without a range, a bound that is no number.
    pub fn validate(&self) -> Result<()> {
        let wrong = |message: String| {
            Err(Error::new(ErrorKind::InvalidInput, message).with("kernel", &self.name))
        };
        if self.sources > MAX_CHANNELS {
            let sources = self.sources;
            return wrong(format!(
                "a kernel may read {MAX_CHANNELS} sources, not {sources}"
            ));
        }
        for (name, min, max) in &self.parameters {
            if !(min.is_finite() && max.is_finite() && min <= max) {
                return wrong(format!(
                    "the parameter {name:?} has no range: {min} to {max}"
                ));
            }
        }
        let Bound { relative, absolute } = self.bound;
        if !(relative >= 0.0 && absolute >= 0.0) {
            return wrong("the bound of a kernel must be two numbers, not negative".into());
        }
        if self.variants.first().is_none_or(|v| v.id != REFERENCE) {
            return wrong("a kernel's first variant is its reference".into());
        }
        for (index, variant) in self.variants.iter().enumerate() {
            let id = &variant.id;
            if id.is_empty() || id == "auto" || self.variants[..index].iter().any(|v| v.id == *id) {
                return wrong(format!("{id:?} can't be the id of another variant"));
            }
        }
        Ok(())
    }
}

impl From<&KernelDescriptor> for KernelFacts {
    fn from(descriptor: &KernelDescriptor) -> Self {
        let parameters = descriptor.parameters.iter();
        let reference = VariantFacts {
            id: REFERENCE.to_owned(),
            ..VariantFacts::default()
        };
        let others = descriptor.variants.iter().map(|variant| VariantFacts {
            id: variant.id.to_owned(),
            requires: variant.requires,
            requires_unknown: Vec::new(),
        });
        Self {
            name: descriptor.name.to_owned(),
            summary: descriptor.summary.to_owned(),
            version: descriptor.version.to_owned(),
            sources: descriptor.sources,
            parameters: parameters
                .map(|p| (p.name.to_owned(), p.min, p.max))
                .collect(),
            variants: std::iter::once(reference).chain(others).collect(),
            bound: descriptor.bound,
        }
    }
}

/// A kernel in one of its variants, ready to be called. Cheap to clone.
#[derive(Clone)]
pub struct UserKernel {
    run: Run,
    /// What `facts` says too: a call has it at hand.
    sources: usize,
    parameters: usize,
    facts: Arc<KernelFacts>,
    variant: usize,
}

#[derive(Clone)]
enum Run {
    /// The reference, or a variant whose features the CPU has.
    Linked(VariantFn),
    Remote(Arc<RemoteFn>),
}

impl UserKernel {
    /// A kernel of a plugin in this variant, called through `run`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] if `facts` has no such variant.
    pub fn remote(
        facts: Arc<KernelFacts>,
        variant: usize,
        run: impl Fn(&mut [f32], &[&[f32]], &[f32]) -> Result<()> + Send + Sync + 'static,
    ) -> Result<Self> {
        if variant >= facts.variants.len() {
            return Err(no_variant(&facts.name, variant));
        }
        Ok(Self::of(facts, variant, Run::Remote(Arc::new(run))))
    }

    fn of(facts: Arc<KernelFacts>, variant: usize, run: Run) -> Self {
        Self {
            run,
            sources: facts.sources,
            parameters: facts.parameters.len(),
            facts,
            variant,
        }
    }

    /// Changes `data` in place. Each of `sources` has as many samples. Allocates nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`], with `data` as it was: another number of sources or parameters
    /// than the kernel takes, or a source of another length. What a plugin answers.
    #[inline]
    pub fn call(&self, data: &mut [f32], sources: &[&[f32]], parameters: &[f32]) -> Result<()> {
        let same_length = sources.iter().all(|source| source.len() == data.len());
        let counted = sources.len() == self.sources && parameters.len() == self.parameters;
        if !(same_length && counted) {
            return Err(self.refused(data.len(), sources, parameters));
        }
        match &self.run {
            Run::Linked(run) => {
                // SAFETY: it is a safe function but for features of the CPU, all that `Variant::new` asks
                // for; `KernelDescriptor::kernel` has found those that it requires.
                unsafe { run(data, sources, parameters) };
                Ok(())
            }
            Run::Remote(run) => run(data, sources, parameters),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.facts.name
    }

    /// The id of its variant.
    pub fn variant(&self) -> &str {
        &self.facts.variants[self.variant].id
    }

    /// What is known of it.
    pub fn facts(&self) -> &KernelFacts {
        &self.facts
    }

    #[cold]
    fn refused(&self, len: usize, sources: &[&[f32]], parameters: &[f32]) -> Error {
        let facts = &*self.facts;
        let error = |message: &'static str| {
            Error::new(ErrorKind::InvalidInput, message).with("kernel", &facts.name)
        };
        if sources.len() != facts.sources {
            return error("the kernel reads another number of sources")
                .with("sources", sources.len())
                .with("expected", facts.sources);
        }
        if parameters.len() != facts.parameters.len() {
            return error("the kernel takes another number of parameters")
                .with("parameters", parameters.len())
                .with("expected", facts.parameters.len());
        }
        let other = sources.iter().map(|s| s.len()).find(|other| *other != len);
        error("a source has another length than the data")
            .with("source", other.unwrap_or(len))
            .with("data", len)
    }
}

impl fmt::Debug for UserKernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "kernel/{} ({})", self.name(), self.variant())
    }
}

#[cold]
fn no_variant(name: &str, variant: usize) -> Error {
    Error::new(
        ErrorKind::NotFound,
        "the kernel has no variant of this number",
    )
    .with("kernel", name)
    .with("variant", variant)
}

/// Registers a kernel of the author's own with every program that links its crate, and writes down in
/// the program's file what it is: see [`manifest`](crate::manifest).
///
/// A variant is an id, the CPU features that it needs, and a safe function that may be compiled for
/// no others than those. Where the function is `#[inline(always)]` and plain, it is compiled for the
/// variant's features. Variants stand from plain to best: the last one that the CPU can run is
/// taken. One for another architecture has a `#[cfg]`.
///
/// ```
/// use auralis_core::kernel;
///
/// #[inline(always)]
/// fn clip(data: &mut [f32], _: &[&[f32]], parameters: &[f32]) {
///     for x in data {
///         *x = x.clamp(-parameters[0], parameters[0]);
///     }
/// }
///
/// kernel! {
///     name: "acme.clip",
///     summary: "Clips at a ceiling",
///     sources: 0,
///     parameters: [ceiling: 0.0..=1.0],
///     reference: clip,
///     variants: [#[cfg(target_arch = "x86_64")] "avx2": ["avx2"] => clip],
///     bound: auralis_core::Bound::EXACT,
/// }
/// # fn main() -> auralis_core::Result<()> {
/// let clip = auralis_core::KernelDescriptor::linked()[0].kernel(0)?;
/// let mut audio = [-2.0, 0.25, 2.0];
/// clip.call(&mut audio, &[], &[0.5])?;
/// assert_eq!(audio, [-0.5, 0.25, 0.5]);
/// # Ok(())
/// # }
/// ```
#[macro_export]
macro_rules! kernel {
    (
        name: $name:expr,
        summary: $summary:expr,
        sources: $sources:expr,
        parameters: [$($parameter:ident: $min:literal ..= $max:literal),* $(,)?],
        reference: $reference:path,
        variants: [$($(#[$attribute:meta])* $id:literal: [$($feature:literal),* $(,)?] => $run:path),* $(,)?],
        bound: $bound:expr $(,)?
    ) => {
        const _: () = {
            const KERNEL: $crate::KernelDescriptor = $crate::KernelDescriptor {
                name: $name,
                summary: $summary,
                version: env!("CARGO_PKG_VERSION"),
                sources: $sources,
                parameters: &[$($crate::Parameter {
                    name: stringify!($parameter),
                    min: $min,
                    max: $max,
                }),*],
                reference: $reference,
                variants: &[$($(#[$attribute])* {
                    $(#[target_feature(enable = $feature)])*
                    fn run(data: &mut [f32], sources: &[&[f32]], parameters: &[f32]) {
                        $run(data, sources, parameters)
                    }
                    // SAFETY: `run` is a safe function but for the features that it is compiled
                    // for, which are those that the variant requires.
                    unsafe {
                        $crate::Variant::new($id, $crate::CpuFeatures::of(&[$($feature),*]), run)
                    }
                }),*],
                bound: $bound,
            };
            $crate::inventory::submit! { KERNEL }
            $crate::manifest_record! { $crate::manifest::Record::kernel(&KERNEL) }
        };
    };
}
