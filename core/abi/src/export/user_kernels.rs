//! The table of kernels of authors' own: what inventory holds in this library.

use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;

use auralis_core::{Error, ErrorKind, KernelDescriptor, KernelFacts, Result, UserKernel};

use super::Served;
use super::guard::{contain, store};
use crate::argument::Open;
use crate::tables::{ParameterRecord, UserKernelRecord, UserKernelsV1, VariantRecord};
use crate::wire::{Message, Planes, Slice, SliceMut, Status, Text};

impl Served for UserKernelsV1 {
    const TABLE: &'static Self = &Self {
        count: Some(count),
        describe: Some(describe),
        run: Some(run),
    };
}

/// A kernel in every variant, and what the records of it point to.
struct Entry {
    descriptor: &'static KernelDescriptor,
    parameters: Vec<ParameterRecord>,
    variants: Vec<VariantRecord>,
    /// `None` where this CPU lacks what a variant needs.
    kernels: Vec<Option<UserKernel>>,
    out_of_use: AtomicBool,
}

/// The kernels by name: inventory has no order, and an index must mean the same at every call.
fn entries() -> &'static [Entry] {
    static ENTRIES: OnceLock<Vec<Entry>> = OnceLock::new();
    ENTRIES.get_or_init(|| {
        let mut all = KernelDescriptor::linked();
        all.sort_by_key(|descriptor| descriptor.name);
        all.into_iter().map(Entry::of).collect()
    })
}

fn entry(index: usize) -> Result<&'static Entry> {
    let all = entries();
    all.get(index).ok_or_else(|| {
        let message = "the plugin has no kernel of this index";
        Error::new(ErrorKind::NotFound, message)
            .with("index", index)
            .with("kernels", all.len())
    })
}

impl Entry {
    fn of(descriptor: &'static KernelDescriptor) -> Self {
        let parameters = descriptor
            .parameters
            .iter()
            .map(|parameter| ParameterRecord {
                name: Text::of_str(parameter.name),
                min: parameter.min,
                max: parameter.max,
            });
        let facts = KernelFacts::from(descriptor);
        let reference = VariantRecord {
            id: Text::of_str(auralis_core::REFERENCE),
            requires: listed(&[]),
        };
        let others = descriptor.variants.iter().map(|variant| {
            // A plugin is never unloaded, so that what is leaked once is static.
            let requires: Vec<Text> = variant.requires().names().map(Text::of_str).collect();
            VariantRecord {
                id: Text::of_str(variant.id()),
                requires: listed(requires.leak()),
            }
        });
        Self {
            descriptor,
            parameters: parameters.collect(),
            variants: std::iter::once(reference).chain(others).collect(),
            kernels: (0..facts.variants.len())
                .map(|variant| descriptor.kernel(variant).ok())
                .collect(),
            out_of_use: AtomicBool::new(false),
        }
    }

    fn record(&'static self) -> UserKernelRecord {
        UserKernelRecord {
            name: Text::of_str(self.descriptor.name),
            summary: Text::of_str(self.descriptor.summary),
            version: Text::of_str(self.descriptor.version),
            sources: self.descriptor.sources,
            parameters: listed(&self.parameters),
            variants: listed(&self.variants),
            relative: self.descriptor.bound.relative,
            absolute: self.descriptor.bound.absolute,
        }
    }

    fn kernel(&self, variant: usize) -> Result<&UserKernel> {
        self.kernels
            .get(variant)
            .and_then(Option::as_ref)
            .ok_or_else(|| {
                let message = "the kernel has no such variant that this CPU can run";
                Error::new(ErrorKind::Unavailable, message)
                    .with("kernel", self.descriptor.name)
                    .with("variant", variant)
            })
    }
}

/// Where a list of records lies.
fn listed<T>(records: &[T]) -> Slice<T> {
    Slice {
        ptr: records.as_ptr(),
        len: records.len(),
    }
}

unsafe extern "C" fn count() -> usize {
    let mut count = 0;
    // SAFETY: a null message is passed over.
    let _ = unsafe {
        contain(&AtomicBool::new(false), std::ptr::null_mut(), || {
            count = entries().len();
            Ok(())
        })
    };
    count
}

unsafe extern "C" fn describe(
    index: usize,
    kernel: *mut UserKernelRecord,
    message: *mut Message,
) -> Status {
    // SAFETY: the host keeps the rules of the wire: the places are null or may be written.
    unsafe {
        contain(&AtomicBool::new(false), message, || {
            store(kernel, entry(index)?.record())
        })
    }
}

unsafe extern "C" fn run(
    index: usize,
    variant: usize,
    data: SliceMut<f32>,
    sources: Planes,
    parameters: Slice<f32>,
    message: *mut Message,
) -> Status {
    let never = AtomicBool::new(false);
    // What fails here is told below, where there is a guard for it.
    let out_of_use = entries()
        .get(index)
        .map_or(&never, |entry| &entry.out_of_use);
    // SAFETY: the host keeps the rules of the wire: slices are what they claim to be during the call,
    // nobody else uses the data, the message is null or may be written.
    unsafe {
        contain(out_of_use, message, || {
            let kernel = entry(index)?.kernel(variant)?;
            kernel.call(data.open()?, &Open::open(sources)?, parameters.open()?)
        })
    }
}

#[cfg(test)]
mod tests {
    use auralis_core::{Bound, ErrorKind, kernel};

    use super::super::header;
    use crate::{Plugin, PluginHeader};

    static HEADER: PluginHeader = header("kernels-only", "0.1.0", "unwind");

    #[inline(always)]
    fn halve_or_panic(data: &mut [f32], _: &[&[f32]], _: &[f32]) {
        for x in data {
            assert!(*x < 2.0, "far too loud");
            *x *= 0.5;
        }
    }

    kernel! {
        name: "test.halve",
        summary: "Halves, or panics",
        sources: 1,
        parameters: [unused: 0.0..=1.0],
        reference: halve_or_panic,
        variants: [
            #[cfg(target_arch = "x86_64")] "sse3": ["sse3"] => halve_or_panic,
        ],
        bound: Bound::EXACT,
    }

    #[test]
    fn a_plugin_may_have_nothing_but_a_kernel_which_is_out_of_use_after_a_panic() {
        // SAFETY: the header is a static one of this crate's making.
        let plugin = unsafe { Plugin::read(&HEADER) }.unwrap();
        assert!(plugin.backends().is_empty());
        let [kernel] = plugin.kernels() else {
            panic!("one kernel is registered here");
        };
        let facts = kernel.facts();
        assert_eq!((facts.name.as_str(), facts.sources), ("test.halve", 1));
        assert_eq!(facts.parameters, [("unused".to_owned(), 0.0, 1.0)]);
        assert_eq!(facts.variants[0].id, "reference");

        let halve = kernel.prepare(0).unwrap();
        let mut data = [1.0, -1.0];
        halve.call(&mut data, &[&[0.0, 0.0]], &[0.5]).unwrap();
        assert_eq!(data, [0.5, -0.5]);
        let refused = halve.call(&mut data, &[&[0.0]], &[0.5]).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidInput);

        for expected in ["far too loud", "out of use"] {
            let error = halve.call(&mut [3.0], &[&[0.0]], &[0.5]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Panicked);
            assert!(error.message().contains(expected), "{error:?}");
            assert_eq!(error.faulty_backend(), Some(("kernel", "test.halve")));
        }
        assert_eq!(kernel.prepare(9).unwrap_err().kind(), ErrorKind::NotFound);
    }
}
