//! Planned objects in a plugin, behind the traits of core.

use std::ptr::{self, NonNull};
use std::sync::Arc;

use auralis_core::{
    AudioBlockMut, Biquad, BiquadCascade, ComplexFft, Convolver, ConvolverSpec, Fir, RealFft,
    Result,
};

use super::accelerator::RemoteAccelerator;
use super::call::{call, offered};
use crate::FloatControl;
use crate::tables::{ComplexFftFunctions, RealFftFunctions};
use crate::wire::{Block, Complex, Element, Instance, Message, Plan, Slice, SliceMut, Status};

type Destroy = unsafe extern "C" fn(plan: *mut Plan);
type Reset = unsafe extern "C" fn(plan: *mut Plan, message: *mut Message) -> Status;
type Filter = unsafe extern "C" fn(
    plan: *mut Plan,
    dst: SliceMut<f32>,
    src: Slice<f32>,
    message: *mut Message,
) -> Status;
type InPlace<T> = unsafe extern "C" fn(
    plan: *mut Plan,
    data: SliceMut<Complex<T>>,
    message: *mut Message,
) -> Status;

/// A plan in a plugin. Dropping it destroys the plan there.
#[derive(Debug)]
struct Handle {
    plan: NonNull<Plan>,
    kernel: &'static str,
    backend: Arc<str>,
    destroy: Destroy,
}

// SAFETY: the rules of the wire let any thread use a plan, one at a time.
unsafe impl Send for Handle {}

impl Drop for Handle {
    fn drop(&mut self) {
        let floats = FloatControl::read();
        // SAFETY: the plan came from the `create` of the same table, and this is its last use.
        unsafe { (self.destroy)(self.plan.as_ptr()) };
        floats.restore();
    }
}

impl Handle {
    /// # Safety
    ///
    /// `create` is that of the table of `destroy`, and what else it is given lives during the call.
    unsafe fn create(
        remote: &RemoteAccelerator,
        kernel: &'static str,
        destroy: Option<Destroy>,
        create: impl FnOnce(*const Instance, *mut *mut Plan, *mut Message) -> Status,
    ) -> Result<Self> {
        let destroy = offered(destroy, kernel)?;
        let mut plan = ptr::null_mut();
        let instance = &remote.instance;
        let place = &raw mut plan;
        let floats = FloatControl::read();
        // SAFETY: the place outlives the call; the rest is the caller's promise.
        let planned =
            unsafe { instance.call(kernel, |handle, message| create(handle, place, message)) };
        floats.restore();
        planned?;
        let message = "the plugin planned an object and gave a null handle";
        Ok(Self {
            plan: NonNull::new(plan).ok_or_else(|| instance.wrong(message))?,
            kernel,
            backend: Arc::clone(instance.backend()),
            destroy,
        })
    }

    /// # Safety
    ///
    /// `run` calls a function of the table that made the plan, with slices that live during the
    /// call.
    #[inline]
    unsafe fn run(&mut self, run: impl FnOnce(*mut Plan, *mut Message) -> Status) -> Result<()> {
        let plan = self.plan.as_ptr();
        // SAFETY: the plan is alive until `self` is dropped, and `&mut self` keeps others away; the
        // rest is the caller's promise.
        unsafe { call(self.kernel, &self.backend, |message| run(plan, message)) }
    }

    /// # Safety
    ///
    /// `reset` is of the table that made the plan.
    unsafe fn reset(&mut self, reset: Reset) {
        // A reset that panics puts the plan out of use, and the next call says so.
        // SAFETY: the caller's promise.
        let _ = unsafe { self.run(|plan, message| reset(plan, message)) };
    }
}

/// The functions of these names in a table, or the error that one of them is not offered.
macro_rules! functions {
    ($table:expr, $kernel:expr; $($function:ident)*) => {
        ($(offered($table.$function, $kernel)?,)*)
    };
}

pub(super) fn plan_complex_fft(
    remote: &RemoteAccelerator,
    len: usize,
) -> Result<Box<dyn ComplexFft<f32>>> {
    let kernel = "complex_fft";
    let table = offered(remote.tables.complex_fft, kernel)?;
    complex_fft(remote, kernel, &table.functions, len)
}

pub(super) fn plan_complex_fft_f64(
    remote: &RemoteAccelerator,
    len: usize,
) -> Result<Box<dyn ComplexFft<f64>>> {
    let kernel = "complex_fft_f64";
    let table = offered(remote.tables.fft_f64, kernel)?;
    complex_fft(remote, kernel, &table.complex, len)
}

fn complex_fft<T>(
    remote: &RemoteAccelerator,
    kernel: &'static str,
    table: &ComplexFftFunctions<T>,
    len: usize,
) -> Result<Box<dyn ComplexFft<T>>>
where
    T: Element<Native = T> + std::fmt::Debug + 'static,
{
    let (create, forward, inverse) = functions!(table, kernel; create forward inverse);
    // SAFETY: both functions are of one table.
    let handle = unsafe {
        Handle::create(remote, kernel, table.destroy, |instance, plan, message| {
            create(instance, len, plan, message)
        })
    }?;
    Ok(Box::new(RemoteComplexFft {
        handle,
        len,
        forward,
        inverse,
    }))
}

#[derive(Debug)]
struct RemoteComplexFft<T> {
    handle: Handle,
    len: usize,
    forward: InPlace<T>,
    inverse: InPlace<T>,
}

impl<T: Element<Native = T> + std::fmt::Debug> ComplexFft<T> for RemoteComplexFft<T> {
    fn len(&self) -> usize {
        self.len
    }

    fn forward(&mut self, data: &mut [auralis_core::Complex<T>]) -> Result<()> {
        let function = self.forward;
        // SAFETY: the function is of the plan's table, the slice of a live reference.
        unsafe {
            self.handle
                .run(|plan, message| function(plan, SliceMut::of(data), message))
        }
    }

    fn inverse(&mut self, data: &mut [auralis_core::Complex<T>]) -> Result<()> {
        let function = self.inverse;
        // SAFETY: as above.
        unsafe {
            self.handle
                .run(|plan, message| function(plan, SliceMut::of(data), message))
        }
    }
}

pub(super) fn plan_real_fft(
    remote: &RemoteAccelerator,
    len: usize,
) -> Result<Box<dyn RealFft<f32>>> {
    let kernel = "real_fft";
    let table = offered(remote.tables.real_fft, kernel)?;
    real_fft(remote, kernel, &table.functions, len)
}

pub(super) fn plan_real_fft_f64(
    remote: &RemoteAccelerator,
    len: usize,
) -> Result<Box<dyn RealFft<f64>>> {
    let kernel = "real_fft_f64";
    let table = offered(remote.tables.fft_f64, kernel)?;
    real_fft(remote, kernel, &table.real, len)
}

fn real_fft<T>(
    remote: &RemoteAccelerator,
    kernel: &'static str,
    table: &RealFftFunctions<T>,
    len: usize,
) -> Result<Box<dyn RealFft<T>>>
where
    T: Element<Native = T> + std::fmt::Debug + 'static,
{
    let (create, forward, inverse) = functions!(table, kernel; create forward inverse);
    // SAFETY: both functions are of one table.
    let handle = unsafe {
        Handle::create(remote, kernel, table.destroy, |instance, plan, message| {
            create(instance, len, plan, message)
        })
    }?;
    Ok(Box::new(RemoteRealFft {
        handle,
        len,
        forward,
        inverse,
    }))
}

#[derive(Debug)]
struct RemoteRealFft<T> {
    handle: Handle,
    len: usize,
    forward: unsafe extern "C" fn(
        plan: *mut Plan,
        spectrum: SliceMut<Complex<T>>,
        samples: Slice<T>,
        message: *mut Message,
    ) -> Status,
    inverse: unsafe extern "C" fn(
        plan: *mut Plan,
        samples: SliceMut<T>,
        spectrum: Slice<Complex<T>>,
        message: *mut Message,
    ) -> Status,
}

impl<T: Element<Native = T> + std::fmt::Debug> RealFft<T> for RemoteRealFft<T> {
    fn len(&self) -> usize {
        self.len
    }

    fn forward(&mut self, spectrum: &mut [auralis_core::Complex<T>], samples: &[T]) -> Result<()> {
        let function = self.forward;
        let (spectrum, samples) = (SliceMut::of(spectrum), Slice::of(samples));
        // SAFETY: the function is of the plan's table, the slices of live references.
        unsafe {
            self.handle
                .run(|plan, message| function(plan, spectrum, samples, message))
        }
    }

    fn inverse(&mut self, samples: &mut [T], spectrum: &[auralis_core::Complex<T>]) -> Result<()> {
        let function = self.inverse;
        let (samples, spectrum) = (SliceMut::of(samples), Slice::of(spectrum));
        // SAFETY: as above.
        unsafe {
            self.handle
                .run(|plan, message| function(plan, samples, spectrum, message))
        }
    }
}

pub(super) fn plan_convolver(
    remote: &RemoteAccelerator,
    spec: &ConvolverSpec<'_>,
) -> Result<Box<dyn Convolver>> {
    let kernel = "convolver";
    let table = offered(remote.tables.convolver, kernel)?;
    let (create, process, reset) = functions!(table, kernel; create process reset);
    let (impulse, mode) = (Slice::of(spec.impulse), spec.latency.into());
    let mut latency = 0;
    // SAFETY: both functions are of one table, the slice is of a live reference, `latency` outlives
    // the call.
    let handle = unsafe {
        Handle::create(remote, kernel, table.destroy, |instance, plan, message| {
            create(
                instance,
                impulse,
                spec.block,
                mode,
                plan,
                &raw mut latency,
                message,
            )
        })
    }?;
    Ok(Box::new(RemoteConvolver {
        filter: RemoteFilter {
            handle,
            process,
            reset,
        },
        latency,
    }))
}

pub(super) fn plan_fir(remote: &RemoteAccelerator, taps: &[f32]) -> Result<Box<dyn Fir>> {
    let kernel = "fir";
    let table = offered(remote.tables.fir, kernel)?;
    let (create, process, reset) = functions!(table, kernel; create process reset);
    // SAFETY: both functions are of one table, the slice is of a live reference.
    let handle = unsafe {
        Handle::create(remote, kernel, table.destroy, |instance, plan, message| {
            create(instance, Slice::of(taps), plan, message)
        })
    }?;
    Ok(Box::new(RemoteFilter {
        handle,
        process,
        reset,
    }))
}

/// What a convolver and a FIR filter have in common.
#[derive(Debug)]
struct RemoteFilter {
    handle: Handle,
    process: Filter,
    reset: Reset,
}

impl Fir for RemoteFilter {
    fn process(&mut self, dst: &mut [f32], src: &[f32]) -> Result<()> {
        let function = self.process;
        let (dst, src) = (SliceMut::of(dst), Slice::of(src));
        // SAFETY: the function is of the plan's table, the slices of live references.
        unsafe {
            self.handle
                .run(|plan, message| function(plan, dst, src, message))
        }
    }

    fn reset(&mut self) {
        // SAFETY: the function is of the plan's table.
        unsafe { self.handle.reset(self.reset) };
    }
}

#[derive(Debug)]
struct RemoteConvolver {
    filter: RemoteFilter,
    latency: usize,
}

impl Convolver for RemoteConvolver {
    fn latency(&self) -> usize {
        self.latency
    }

    fn process(&mut self, dst: &mut [f32], src: &[f32]) -> Result<()> {
        self.filter.process(dst, src)
    }

    fn reset(&mut self) {
        self.filter.reset();
    }
}

pub(super) fn plan_biquads(
    remote: &RemoteAccelerator,
    sections: &[Biquad],
    channels: usize,
) -> Result<Box<dyn BiquadCascade>> {
    let kernel = "biquads";
    let table = offered(remote.tables.biquads, kernel)?;
    let (create, process, reset) = functions!(table, kernel; create process reset);
    // SAFETY: both functions are of one table, the slice is of a live reference.
    let handle = unsafe {
        Handle::create(remote, kernel, table.destroy, |instance, plan, message| {
            create(instance, Slice::of(sections), channels, plan, message)
        })
    }?;
    Ok(Box::new(RemoteBiquads {
        handle,
        channels,
        process,
        reset,
    }))
}

#[derive(Debug)]
struct RemoteBiquads {
    handle: Handle,
    channels: usize,
    process: unsafe extern "C" fn(plan: *mut Plan, block: Block, message: *mut Message) -> Status,
    reset: Reset,
}

impl BiquadCascade for RemoteBiquads {
    fn channels(&self) -> usize {
        self.channels
    }

    fn process(&mut self, block: &mut AudioBlockMut<'_>) -> Result<()> {
        let function = self.process;
        let (channels, frames) = (block.channels(), block.frames());
        let (samples, stride) = block.as_samples_mut();
        let block = Block {
            samples: SliceMut::of(samples),
            channels,
            frames,
            stride,
        };
        // SAFETY: the function is of the plan's table, the samples of a live reference.
        unsafe {
            self.handle
                .run(|plan, message| function(plan, block, message))
        }
    }

    fn reset(&mut self) {
        // SAFETY: the function is of the plan's table.
        unsafe { self.handle.reset(self.reset) };
    }
}
