//! Hand-made candidates, and accelerators that do nothing but say so.

use std::sync::{Arc, Mutex};

use auralis_core::accelerator::AcceleratorSettings;
use auralis_core::{
    Accelerator, Biquad, Complex, ConvolutionMode, ConvolverSpec, CpuFeatures, Error, ErrorKind,
    FirBank, Kernel, Latency, Options, Result, Window, for_each_plan, for_each_slice_kernel,
};
use auralis_registry::{
    Authority, BackendRequest, Candidate, Composition, Cpu, Criteria, Facts, Registry, Request,
    Selection, compose,
};

/// A backend as a row: id, rank, required CPU features.
pub type Row = (&'static str, i32, &'static [&'static str]);

pub const SCALAR: Row = ("scalar", 0, &[]);
pub const MULTIVERSION: Row = ("multiversion", 10, &[]);
pub const AVX2: Row = ("avx2", 20, &["avx2", "fma"]);
pub const AVX512: Row = ("avx512", 30, &["avx512f", "avx512bw"]);
pub const DEBUG: Row = ("debug", -1, &[]);
pub const ALL: &[Row] = &[SCALAR, MULTIVERSION, AVX2, AVX512];

pub const NO_CPU: &[&str] = &[];
pub const AVX2_CPU: &[&str] = &["avx2", "fma"];
pub const AVX512_CPU: &[&str] = &["avx2", "fma", "avx512f", "avx512bw"];

pub fn facts((id, rank, requires): Row) -> Facts {
    Facts {
        id: id.to_owned(),
        rank,
        requires: CpuFeatures::of(requires),
        ..Facts::default()
    }
}

pub fn cpu(detected: &[&str], hidden: &[&str]) -> Cpu {
    Cpu {
        detected: CpuFeatures::of(detected),
        hidden: CpuFeatures::of(hidden),
    }
}

pub fn auto(by: Authority) -> Request {
    Request::new(BackendRequest::Auto, by)
}

pub fn one(id: &str, by: Authority) -> Request {
    Request::new(BackendRequest::One(id.to_owned()), by)
}

pub fn list(ids: &[&str], by: Authority) -> Request {
    let ids = ids.iter().map(|&id| id.to_owned()).collect();
    Request::new(BackendRequest::List(ids), by)
}

pub fn reasons(selection: &Selection) -> Vec<(&str, &str)> {
    selection
        .rejected
        .iter()
        .map(|r| (r.id.as_str(), r.reason.as_str()))
        .collect()
}

/// What happened, in order: "build avx2", "avx2.scale".
pub type Log = Arc<Mutex<Vec<String>>>;

pub fn taken(log: &Log) -> Vec<String> {
    std::mem::take(&mut log.lock().unwrap())
}

/// An accelerator that does nothing but say so.
#[derive(Clone, Debug)]
pub struct Fake {
    pub id: &'static str,
    pub log: Log,
    others: Option<Arc<dyn Accelerator>>,
}

impl Fake {
    pub fn new(id: &'static str, log: &Log) -> Self {
        Self {
            id,
            log: Arc::clone(log),
            others: None,
        }
    }

    fn note(&self, method: &str) {
        self.log
            .lock()
            .unwrap()
            .push(format!("{}.{method}", self.id));
    }
}

macro_rules! fake_slices {
    ($($kernel:ident $method:ident ($($argument:ident: $type:ty),* $(,)?) -> $result:ty;)*) => {$(
        fn $method(&self, $($argument: $type),*) -> Result<$result> {
            if let Some(others) = &self.others
                && !const { Kernel::$kernel.has_one_length() }
            {
                return others.$method($($argument),*);
            }
            let _ = ($($argument),*);
            self.note(stringify!($method));
            Ok(<$result>::default())
        }
    )*};
}

macro_rules! fake_plans {
    ($($kernel:ident $method:ident ($($argument:ident: $type:ty),*) -> $plan:ty;)*) => {$(
        fn $method(&self, $($argument: $type),*) -> Result<$plan> {
            if let Some(others) = &self.others {
                return others.$method($($argument),*);
            }
            let _ = ($($argument),*);
            self.note(stringify!($method));
            Err(Error::new(ErrorKind::Exhausted, "a fake plans nothing"))
        }
    )*};
}

impl Accelerator for Fake {
    for_each_slice_kernel!(fake_slices);
    for_each_plan!(fake_plans);

    fn plan_firs(&self, taps: &[&[f32]]) -> Result<Box<dyn FirBank>> {
        if let Some(others) = &self.others {
            return others.plan_firs(taps);
        }
        self.note("plan_firs");
        Err(Error::new(ErrorKind::Exhausted, "a fake plans nothing"))
    }

    fn variant(&self) -> &'static str {
        self.id
    }

    fn with_others(&self, others: Arc<dyn Accelerator>) -> Option<Arc<dyn Accelerator>> {
        Some(Arc::new(Self {
            others: Some(others),
            ..self.clone()
        }))
    }
}

macro_rules! methods {
    ($($kernel:ident $method:ident ($($arguments:tt)*) -> $result:ty;)*) => {
        [$(stringify!($method)),*]
    };
}

pub fn methods() -> Vec<&'static str> {
    let slices = for_each_slice_kernel!(methods);
    slices.into_iter().chain(for_each_plan!(methods)).collect()
}

/// The number of kernels on slices: they stand before the plans in `Kernel::ALL`.
pub fn slice_kernels() -> usize {
    for_each_slice_kernel!(methods).len()
}

/// Calls every kernel once, with slices of `n` samples, in the order of `Kernel::ALL`.
pub fn call_all(a: &dyn Accelerator, n: usize) {
    let (x, d) = (&mut vec![0.0f32; n][..], &mut vec![0.0f64; n][..]);
    let (y, e) = (&vec![0.0f32; n][..], &vec![0.0f64; n][..]);
    let (c, z) = (
        &mut vec![Complex::default(); n][..],
        &vec![Complex::default(); n][..],
    );
    let (i16s, i24s, i32s) = (
        &mut vec![0i16; n][..],
        &mut vec![[0u8; 3]; n][..],
        &mut vec![0i32; n][..],
    );
    let mode = ConvolutionMode::Same;
    let spec = ConvolverSpec {
        impulse: y,
        block: 1,
        latency: Latency::Zero,
    };
    let section = Biquad {
        b0: 1.0,
        b1: 0.0,
        b2: 0.0,
        a1: 0.0,
        a2: 0.0,
    };
    let (left, right) = y.split_at(n / 2);
    let planes = &mut vec![0.0f32; n][..];
    let (l, r) = planes.split_at_mut(n / 2);
    let called: [Result<()>; 31] = [
        a.scale(x, 1.0),
        a.ramp(x, 0.0, 1.0),
        a.channel_gains(x, &[1.0]),
        a.add(x, y),
        a.mix(x, y, 1.0),
        a.mul(x, y),
        a.dot(y, y).map(drop),
        a.sum_squares(y).map(drop),
        a.peak(y).map(drop),
        a.min_max(y).map(drop),
        a.clip(x, 0.0, 1.0),
        a.interleave(x, &[left, right]),
        a.deinterleave(&mut [l, r], y),
        a.f32_from_i16(x, i16s),
        a.f32_from_i24(x, i24s),
        a.f32_from_i32(x, i32s),
        a.i16_from_f32(i16s, y),
        a.i24_from_f32(i24s, y),
        a.i32_from_f32(i32s, y),
        a.complex_mul(c, z, z),
        a.complex_mul_add(c, z, z),
        a.tanh(x),
        a.exp(x),
        a.ln(x),
        a.window(x, Window::Hann),
        a.moving_rms(x, y, 1),
        a.convolve(x, y, y, mode),
        a.scale_f64(d, 1.0),
        a.channel_gains_f64(d, &[1.0]),
        a.moving_rms_f64(d, e, 1),
        a.convolve_f64(d, e, e, mode),
    ];
    assert!(called.iter().all(Result::is_ok), "{called:?}");
    let planned = [
        a.plan_complex_fft(n).err(),
        a.plan_real_fft(n).err(),
        a.plan_convolver(&spec).err(),
        a.plan_biquads(&[section], 1).err(),
        a.plan_fir(y).err(),
        a.plan_complex_fft_f64(n).err(),
        a.plan_real_fft_f64(n).err(),
    ];
    for error in planned {
        assert_eq!(error.unwrap().message(), "a fake plans nothing");
    }
}

/// A candidate that builds a [`Fake`], or fails to.
pub fn fake(
    log: &Log,
    id: &'static str,
    rank: i32,
    kernels: &[&str],
    builds: bool,
) -> Candidate<dyn Accelerator> {
    let log = Arc::clone(log);
    let facts = Facts {
        id: id.to_owned(),
        rank,
        capabilities: kernels.iter().map(|&k| k.to_owned()).collect(),
        ..Facts::default()
    };
    Candidate::<dyn Accelerator>::new(facts, move |_| {
        log.lock().unwrap().push(format!("build {id}"));
        if !builds {
            return Err(Error::new(ErrorKind::Io, "the part is broken").with("part", 7));
        }
        let log = Arc::clone(&log);
        Ok(Arc::new(Fake::new(id, &log)))
    })
}

/// Fakes in a registry: id, rank, kernels, whether it builds.
pub type FakeRow<'a> = (&'static str, i32, &'a [&'a str], bool);

pub fn registry(log: &Log, fakes: &[FakeRow<'_>]) -> Registry {
    let mut registry = Registry::empty();
    for &(id, rank, kernels, builds) in fakes {
        registry
            .insert(fake(log, id, rank, kernels, builds))
            .unwrap();
    }
    registry
}

pub fn asking(request: Request) -> Criteria {
    Criteria {
        request,
        ..Criteria::default()
    }
}

pub fn no_options(_: &str) -> Options {
    Options::default()
}

pub fn composed(
    registry: &Registry,
    request: Request,
    kernels: &[(&str, &str)],
    vectorization_threshold: usize,
) -> Result<(Arc<dyn Accelerator>, Selection)> {
    let kernels = kernels
        .iter()
        .map(|(k, id)| (k.to_string(), id.to_string()))
        .collect();
    let composition = Composition {
        kernels,
        vectorization_threshold,
    };
    let settings = AcceleratorSettings::default();
    compose(
        registry,
        &asking(request),
        &settings,
        &no_options,
        &composition,
    )
}
