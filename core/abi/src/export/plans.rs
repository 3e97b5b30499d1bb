//! The tables of planned objects.

use auralis_core::{
    Accelerator, AudioBlockMut, BiquadCascade, ComplexFft, Convolver, ConvolverSpec, Fir, RealFft,
    Result,
};

use super::Served;
use super::guard::{Planned, create, destroy, on_plan, store};
use crate::tables::{
    BiquadsV1, ComplexFftFunctions, ComplexFftV1, ConvolverV1, FftF64V1, FirV1, RealFftFunctions,
    RealFftV1,
};
use crate::wire::{
    Biquad, Block, Complex, Element, Instance, LatencyCode, Message, Plan, Slice, SliceMut, Status,
};

// Every function below rests on the same facts: the host keeps the rules of the wire, so a handle
// is alive and of the table's own making, a plan is used by one call at a time, slices are what they
// claim to be during the call, and nobody else uses those that are written.

/// A type of sample that there are transforms of.
trait Transformed: Element<Native = Self> + 'static {
    fn plan_complex(accelerator: &dyn Accelerator, len: usize)
    -> Result<Box<dyn ComplexFft<Self>>>;
    fn plan_real(accelerator: &dyn Accelerator, len: usize) -> Result<Box<dyn RealFft<Self>>>;
}

macro_rules! transformed {
    ($($type:ty: $plan_complex:ident $plan_real:ident)*) => {$(
        impl Transformed for $type {
            fn plan_complex(
                accelerator: &dyn Accelerator,
                len: usize,
            ) -> Result<Box<dyn ComplexFft<Self>>> {
                accelerator.$plan_complex(len)
            }

            fn plan_real(
                accelerator: &dyn Accelerator,
                len: usize,
            ) -> Result<Box<dyn RealFft<Self>>> {
                accelerator.$plan_real(len)
            }
        }
    )*};
}

transformed! {
    f32: plan_complex_fft plan_real_fft
    f64: plan_complex_fft_f64 plan_real_fft_f64
}

unsafe extern "C" fn destroy_plan<T: ?Sized>(plan: *mut Plan) {
    // SAFETY: see the top.
    unsafe { destroy(plan.cast::<Planned<T>>()) }
}

const fn complex_fft<T: Transformed>() -> ComplexFftFunctions<T> {
    unsafe extern "C" fn create_complex<T: Transformed>(
        instance: *const Instance,
        len: usize,
        plan: *mut *mut Plan,
        message: *mut Message,
    ) -> Status {
        // SAFETY: see the top.
        unsafe { create(instance, plan, message, |a| T::plan_complex(a, len)) }
    }

    unsafe extern "C" fn forward<T: Transformed>(
        plan: *mut Plan,
        data: SliceMut<Complex<T>>,
        message: *mut Message,
    ) -> Status {
        // SAFETY: see the top.
        unsafe { on_plan::<dyn ComplexFft<T>>(plan, message, |fft| fft.forward(data.open()?)) }
    }

    unsafe extern "C" fn inverse<T: Transformed>(
        plan: *mut Plan,
        data: SliceMut<Complex<T>>,
        message: *mut Message,
    ) -> Status {
        // SAFETY: see the top.
        unsafe { on_plan::<dyn ComplexFft<T>>(plan, message, |fft| fft.inverse(data.open()?)) }
    }

    ComplexFftFunctions {
        create: Some(create_complex::<T>),
        forward: Some(forward::<T>),
        inverse: Some(inverse::<T>),
        destroy: Some(destroy_plan::<dyn ComplexFft<T>>),
    }
}

const fn real_fft<T: Transformed>() -> RealFftFunctions<T> {
    unsafe extern "C" fn create_real<T: Transformed>(
        instance: *const Instance,
        len: usize,
        plan: *mut *mut Plan,
        message: *mut Message,
    ) -> Status {
        // SAFETY: see the top.
        unsafe { create(instance, plan, message, |a| T::plan_real(a, len)) }
    }

    unsafe extern "C" fn forward<T: Transformed>(
        plan: *mut Plan,
        spectrum: SliceMut<Complex<T>>,
        samples: Slice<T>,
        message: *mut Message,
    ) -> Status {
        // SAFETY: see the top.
        unsafe {
            on_plan::<dyn RealFft<T>>(plan, message, |fft| {
                fft.forward(spectrum.open()?, samples.open()?)
            })
        }
    }

    unsafe extern "C" fn inverse<T: Transformed>(
        plan: *mut Plan,
        samples: SliceMut<T>,
        spectrum: Slice<Complex<T>>,
        message: *mut Message,
    ) -> Status {
        // SAFETY: see the top.
        unsafe {
            on_plan::<dyn RealFft<T>>(plan, message, |fft| {
                fft.inverse(samples.open()?, spectrum.open()?)
            })
        }
    }

    RealFftFunctions {
        create: Some(create_real::<T>),
        forward: Some(forward::<T>),
        inverse: Some(inverse::<T>),
        destroy: Some(destroy_plan::<dyn RealFft<T>>),
    }
}

impl Served for ComplexFftV1 {
    const TABLE: &'static Self = &Self {
        functions: complex_fft(),
    };
}

impl Served for RealFftV1 {
    const TABLE: &'static Self = &Self {
        functions: real_fft(),
    };
}

impl Served for FftF64V1 {
    const TABLE: &'static Self = &Self {
        complex: complex_fft(),
        real: real_fft(),
    };
}

impl Served for ConvolverV1 {
    const TABLE: &'static Self = &Self {
        create: Some(create_convolver),
        process: Some(process_convolver),
        reset: Some(reset_convolver),
        destroy: Some(destroy_plan::<dyn Convolver>),
    };
}

unsafe extern "C" fn create_convolver(
    instance: *const Instance,
    impulse: Slice<f32>,
    block: usize,
    latency: LatencyCode,
    plan: *mut *mut Plan,
    frames_behind: *mut usize,
    message: *mut Message,
) -> Status {
    let make = |accelerator: &dyn Accelerator| {
        // SAFETY: see the top.
        let impulse = unsafe { impulse.open() }?;
        let latency = latency.open()?;
        let spec = ConvolverSpec {
            impulse,
            block,
            latency,
        };
        let convolver = accelerator.plan_convolver(&spec)?;
        // SAFETY: see the top.
        unsafe { store(frames_behind, convolver.latency()) }?;
        Ok(convolver)
    };
    // SAFETY: see the top.
    unsafe { create(instance, plan, message, make) }
}

unsafe extern "C" fn process_convolver(
    plan: *mut Plan,
    dst: SliceMut<f32>,
    src: Slice<f32>,
    message: *mut Message,
) -> Status {
    // SAFETY: see the top.
    unsafe {
        on_plan::<dyn Convolver>(plan, message, |convolver| {
            convolver.process(dst.open()?, src.open()?)
        })
    }
}

unsafe extern "C" fn reset_convolver(plan: *mut Plan, message: *mut Message) -> Status {
    // SAFETY: see the top.
    unsafe {
        on_plan::<dyn Convolver>(plan, message, |convolver| {
            convolver.reset();
            Ok(())
        })
    }
}

impl Served for BiquadsV1 {
    const TABLE: &'static Self = &Self {
        create: Some(create_biquads),
        process: Some(process_biquads),
        reset: Some(reset_biquads),
        destroy: Some(destroy_plan::<dyn BiquadCascade>),
    };
}

unsafe extern "C" fn create_biquads(
    instance: *const Instance,
    sections: Slice<Biquad>,
    channels: usize,
    plan: *mut *mut Plan,
    message: *mut Message,
) -> Status {
    let make = |accelerator: &dyn Accelerator| {
        // SAFETY: see the top.
        accelerator.plan_biquads(unsafe { sections.open() }?, channels)
    };
    // SAFETY: see the top.
    unsafe { create(instance, plan, message, make) }
}

unsafe extern "C" fn process_biquads(
    plan: *mut Plan,
    block: Block,
    message: *mut Message,
) -> Status {
    // SAFETY: see the top.
    unsafe {
        on_plan::<dyn BiquadCascade>(plan, message, |cascade| {
            let samples = block.samples.open()?;
            let mut block =
                AudioBlockMut::new(samples, block.channels, block.frames, block.stride)?;
            cascade.process(&mut block)
        })
    }
}

unsafe extern "C" fn reset_biquads(plan: *mut Plan, message: *mut Message) -> Status {
    // SAFETY: see the top.
    unsafe {
        on_plan::<dyn BiquadCascade>(plan, message, |cascade| {
            cascade.reset();
            Ok(())
        })
    }
}

impl Served for FirV1 {
    const TABLE: &'static Self = &Self {
        create: Some(create_fir),
        process: Some(process_fir),
        reset: Some(reset_fir),
        destroy: Some(destroy_plan::<dyn Fir>),
    };
}

unsafe extern "C" fn create_fir(
    instance: *const Instance,
    taps: Slice<f32>,
    plan: *mut *mut Plan,
    message: *mut Message,
) -> Status {
    let make = |accelerator: &dyn Accelerator| {
        // SAFETY: see the top.
        accelerator.plan_fir(unsafe { taps.open() }?)
    };
    // SAFETY: see the top.
    unsafe { create(instance, plan, message, make) }
}

unsafe extern "C" fn process_fir(
    plan: *mut Plan,
    dst: SliceMut<f32>,
    src: Slice<f32>,
    message: *mut Message,
) -> Status {
    // SAFETY: see the top.
    unsafe { on_plan::<dyn Fir>(plan, message, |fir| fir.process(dst.open()?, src.open()?)) }
}

unsafe extern "C" fn reset_fir(plan: *mut Plan, message: *mut Message) -> Status {
    // SAFETY: see the top.
    unsafe {
        on_plan::<dyn Fir>(plan, message, |fir| {
            fir.reset();
            Ok(())
        })
    }
}
