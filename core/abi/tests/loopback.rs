//! Both directions in one process: the backends of the fixture, exported and read back.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

use auralis_abi::{FloatControl, Plugin, PluginBackend, PluginHeader, Status, wire};
use auralis_core::accelerator::AcceleratorSettings;
use auralis_core::{
    Accelerator, AudioBlockMut, Biquad, BuildContext, Complex, ConvolutionMode, ConvolverSpec,
    CpuFeatures, ErrorKind, Kernel, Latency, Linked, Options, Result,
};
use fixture_backend::answers::answers;

auralis_abi::export_plugin!(fixture_backend);

/// Counts what this thread allocates.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: the system's allocator does the work; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn plugin() -> Plugin {
    // SAFETY: the header is our own, and a static.
    unsafe { Plugin::read(&auralis_plugin_v1) }.unwrap()
}

fn backend(id: &str) -> PluginBackend {
    plugin()
        .backends()
        .iter()
        .find(|b| b.id == id)
        .unwrap()
        .clone()
}

fn with<T>(options: &str, run: impl FnOnce(&BuildContext<'_, dyn Accelerator>) -> T) -> T {
    run(&BuildContext {
        options: &Options::new(serde_json::from_str(options).unwrap()),
        settings: &AcceleratorSettings::default(),
        cpu: CpuFeatures::detect(),
    })
}

fn remote(id: &str, options: &str) -> Result<Arc<dyn Accelerator>> {
    with(options, |context| backend(id).build(context))
}

fn linked(id: &str, options: &str) -> Result<Arc<dyn Accelerator>> {
    let all = <dyn Accelerator>::linked();
    let descriptor = all.into_iter().find(|d| d.id == id).unwrap();
    with(options, |context| (descriptor.build)(context))
}

#[test]
fn a_backend_is_described_as_it_describes_itself() {
    let plugin = plugin();
    assert_eq!(
        (plugin.name(), plugin.version()),
        ("auralis-abi", env!("CARGO_PKG_VERSION"))
    );
    let ids: Vec<_> = plugin.backends().iter().map(|b| b.id.as_str()).collect();
    assert_eq!(ids, ["faulty", "fixture", "panics-later", "unavailable"]);
    for descriptor in <dyn Accelerator>::linked() {
        let backend = backend(descriptor.id);
        assert_eq!(backend.summary, descriptor.summary);
        assert_eq!(backend.version, descriptor.version);
        assert_eq!(backend.rank, descriptor.rank);
        assert_eq!(backend.requires, descriptor.requires);
        assert!(backend.requires_unknown.is_empty());
        assert_eq!(backend.capabilities, descriptor.capabilities);
        assert_eq!(backend.options_schema, descriptor.options_schema);
    }
}

#[test]
fn answers_are_the_same_on_both_sides() {
    for options in ["{}", r#"{"trim": 0.25}"#] {
        let (linked, remote) = (
            linked("fixture", options).unwrap(),
            remote("fixture", options).unwrap(),
        );
        assert_eq!(linked.variant(), remote.variant());
        for n in [0, 1, 2, 3, 7, 16, 33, 101] {
            let (linked, remote) = (answers(&*linked, n), answers(&*remote, n));
            let names: Vec<_> = linked.iter().map(|(name, _)| *name).collect();
            assert_eq!(names, Kernel::NAMES);
            for (linked, remote) in linked.iter().zip(&remote) {
                assert_eq!(linked, remote, "length {n}");
            }
        }
    }
}

#[test]
fn errors_of_build_are_the_same_on_both_sides() {
    let cases = [
        (
            "fixture",
            r#"{"trin": 2}"#,
            ErrorKind::Config,
            "unknown field `trin`",
        ),
        (
            "fixture",
            r#"{"trim": "x"}"#,
            ErrorKind::Config,
            "invalid type: string",
        ),
        ("faulty", "3", ErrorKind::Config, "invalid type: integer"),
    ];
    for (id, options, kind, part) in cases {
        let (linked, remote) = (
            linked(id, options).unwrap_err(),
            remote(id, options).unwrap_err(),
        );
        assert_eq!(remote.kind(), kind);
        assert_eq!(remote.message(), linked.message());
        assert_eq!(remote.report(), linked.report());
        assert!(remote.report().contains(part), "{}", remote.report());
    }
    let error = remote("unavailable", "{}").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(
        error
            .report()
            .starts_with("the backend needs CPU features that it is not allowed")
    );
}

#[test]
fn an_error_keeps_its_kind_message_context_and_causes() {
    let (linked, remote) = (
        linked("faulty", "{}").unwrap(),
        remote("faulty", "{}").unwrap(),
    );
    let (linked, remote) = (
        linked.add(&mut [], &[]).unwrap_err(),
        remote.add(&mut [], &[]).unwrap_err(),
    );
    assert_eq!(remote.kind(), ErrorKind::Exhausted);
    assert_eq!(remote.to_string(), "can't add (left: 3, right: 4)");
    assert_eq!(remote.report(), linked.report());
}

#[test]
fn a_long_message_is_cut_at_the_end_of_the_buffer() {
    let remote = remote("faulty", "{}").unwrap();
    let error = remote
        .convolve(&mut [], &[], &[], ConvolutionMode::Full)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(error.message(), "ä".repeat(512) + "...");
}

#[test]
fn a_panic_puts_an_instance_out_of_use() {
    let instance = || remote("faulty", "{}").unwrap();
    type Run = fn(&dyn Accelerator) -> Result<()>;
    let panics: [(&str, Run); 2] = [
        ("a panic in the plugin: no gain for 3 samples", |a| {
            a.scale(&mut [0.0; 3], f32::NAN)
        }),
        ("a panic in the plugin: it gave no text", |a| {
            a.mul(&mut [], &[])
        }),
    ];
    for (message, run) in panics {
        let accelerator = instance();
        accelerator.scale(&mut [], 1.0).unwrap();
        let error = run(&*accelerator).unwrap_err();
        assert_eq!(
            (error.kind(), error.message()),
            (ErrorKind::Panicked, message)
        );
        let backend = Some(("accelerator", "faulty"));
        assert_eq!(error.faulty_backend(), backend);
        let later = accelerator.scale(&mut [], 1.0).unwrap_err();
        assert_eq!(later.kind(), ErrorKind::Panicked);
        assert_eq!(later.faulty_backend(), backend);
        assert_eq!(
            later.message(),
            "out of use, because an earlier call of it panicked in the plugin"
        );
        instance().scale(&mut [], 1.0).unwrap();
    }
}

#[test]
fn a_panic_puts_a_plan_out_of_use_and_nothing_else() {
    let accelerator = remote("faulty", "{}").unwrap();
    let mut fir = accelerator.plan_fir(&[1.0]).unwrap();
    fir.process(&mut [], &[]).unwrap();
    let error = fir.process(&mut [0.0], &[0.0]).unwrap_err();
    assert_eq!(
        error.message(),
        "a panic in the plugin: this filter takes nothing"
    );
    assert_eq!(error.faulty_backend(), Some(("accelerator", "faulty")));
    assert_eq!(
        fir.process(&mut [], &[]).unwrap_err().kind(),
        ErrorKind::Panicked
    );
    let mut other = accelerator.plan_fir(&[1.0]).unwrap();
    other.reset();
    assert_eq!(
        other.process(&mut [], &[]).unwrap_err().kind(),
        ErrorKind::Panicked
    );
    // Its drop panics in the plugin and goes no further.
    drop(accelerator.plan_fir(&[1.0]).unwrap());
    accelerator.scale(&mut [], 1.0).unwrap();
}

#[test]
fn panics_while_building_and_dropping_go_no_further() {
    let error = remote("faulty", r#"{"panic_in_build": true}"#).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Panicked);
    assert_eq!(
        error.message(),
        "a panic in the plugin: told to panic in build"
    );
    drop(remote("faulty", r#"{"panic_in_drop": true}"#).unwrap());
}

#[test]
fn the_floating_point_control_is_restored() {
    let before = FloatControl::read();
    assert_eq!(
        remote("faulty", "{}").unwrap().sum_squares(&[2.0]).unwrap(),
        4.0
    );
    assert_eq!(FloatControl::read(), before);
}

#[test]
fn a_call_that_succeeds_allocates_nothing() {
    let a = remote("fixture", "{}").unwrap();
    let mut data = [0.5; 64];
    let (src, mut wide) = ([0.25; 64], [0.0; 128]);
    let mut spectrum = [Complex::default(); 64];
    let spec = ConvolverSpec {
        impulse: &[1.0, 0.5],
        block: 8,
        latency: Latency::Zero,
    };
    let section = Biquad {
        b0: 1.0,
        b1: 0.0,
        b2: 0.0,
        a1: 0.0,
        a2: 0.0,
    };
    let mut convolver = a.plan_convolver(&spec).unwrap();
    let mut fir = a.plan_fir(&[1.0, 0.5]).unwrap();
    let mut biquads = a.plan_biquads(&[section], 2).unwrap();
    let mut fft = a.plan_complex_fft(64).unwrap();

    let before = ALLOCATIONS.get();
    a.scale(&mut data, 0.5).unwrap();
    a.dot(&data, &src).unwrap();
    a.interleave(&mut wide, &[&data, &src]).unwrap();
    convolver.process(&mut data, &src).unwrap();
    convolver.reset();
    fir.process(&mut data, &src).unwrap();
    biquads
        .process(&mut AudioBlockMut::new(&mut data, 2, 32, 32).unwrap())
        .unwrap();
    fft.forward(&mut spectrum).unwrap();
    // Neither does the answer of a kernel that a backend lacks: it is asked before it is composed.
    assert_eq!(a.peak(&data).unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(ALLOCATIONS.get(), before);
}

#[test]
fn many_threads_share_an_instance() {
    let accelerator = remote("fixture", "{}").unwrap();
    let expected = answers(&*accelerator, 33);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(answers(&*accelerator, 33), expected));
        }
    });
}

#[test]
fn a_header_that_does_not_fit_is_refused() {
    fn header() -> PluginHeader {
        auralis_abi::export::header("other", "1.0.0", "unwind")
    }
    unsafe extern "C" fn nothing(_: wire::Text) -> *const wire::InterfaceHeader {
        std::ptr::null()
    }
    let cases = [
        (
            PluginHeader {
                magic: *b"aurelia\0",
                ..header()
            },
            "the plugin's header does not begin with the magic of auralis".to_owned(),
        ),
        (
            PluginHeader { abi: 2, ..header() },
            "the plugin speaks ABI 2, this host ABI 1".to_owned(),
        ),
        (
            PluginHeader {
                size: 24,
                ..header()
            },
            format!(
                "the plugin's header has 24 bytes, ABI 1 needs {}",
                size_of::<PluginHeader>()
            ),
        ),
        (
            PluginHeader {
                target: wire::Text::of_str("sparc-sun-solaris"),
                ..header()
            },
            format!(
                "the plugin was built for sparc-sun-solaris, this host for {}",
                auralis_abi::TARGET
            ),
        ),
        (
            PluginHeader {
                panic: wire::Text::of_str("abort"),
                ..header()
            },
            "the plugin was built with panic = \"abort\", which must be \"unwind\"".to_owned(),
        ),
        (
            PluginHeader {
                abi_stable: 12,
                ..header()
            },
            "the plugin describes its layouts by abi_stable 0.12, this host reads 0.11".to_owned(),
        ),
        (
            PluginHeader {
                get_interface: None,
                ..header()
            },
            "the plugin's header has no `get_interface`".to_owned(),
        ),
        (
            PluginHeader {
                get_interface: Some(nothing),
                ..header()
            },
            "the plugin does not serve the interface `backends/1`".to_owned(),
        ),
    ];
    for (header, message) in &cases {
        // SAFETY: the header is a value of our own, its functions are those of this crate.
        let error = unsafe { Plugin::read(header) }.unwrap_err();
        assert_eq!(
            (error.kind(), error.message()),
            (ErrorKind::Plugin, message.as_str())
        );
    }
    // SAFETY: null is looked at only.
    assert!(unsafe { Plugin::read(std::ptr::null()) }.is_err());
}

#[test]
fn a_plugin_without_layout_descriptions_is_held_to_sizes() {
    let header = PluginHeader {
        abi_stable: 0,
        ..auralis_abi::export::header("again", "1.0.0", "unwind")
    };
    // SAFETY: the header is our own.
    let plugin = unsafe { Plugin::read(&header) }.unwrap();
    assert_eq!(plugin.backends().len(), 4);
}

#[test]
fn unknown_statuses_and_kinds_are_faults_of_the_plugin() {
    assert_eq!(Status::OK.kind(), None);
    assert_eq!(Status(4711).kind(), Some(ErrorKind::Plugin));
    for code in 1..=11 {
        let status = Status(code);
        assert_eq!(Status::of(status.kind().unwrap()), status);
    }
}

#[test]
fn foreign_slices_are_checked_before_they_are_used() {
    let null = wire::Slice::<f32> {
        ptr: std::ptr::null(),
        len: 0,
    };
    // SAFETY: nothing is behind an empty slice, and the others are refused.
    unsafe {
        assert_eq!(null.open().unwrap(), [0.0; 0]);
        assert!(wire::Slice { len: 1, ..null }.open().is_err());
        let odd = wire::Slice {
            ptr: std::ptr::without_provenance::<f32>(1),
            len: 1,
        };
        assert!(odd.open().is_err());
        assert!(
            wire::Slice {
                ptr: &raw const ALIGNED,
                len: usize::MAX / 2
            }
            .open()
            .is_err()
        );
        assert!(wire::WindowCode(9).open().is_err());
    }
}

static ALIGNED: f32 = 0.0;
