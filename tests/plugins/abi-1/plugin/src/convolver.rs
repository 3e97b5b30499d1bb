//! Streaming convolution, tap by tap.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

use auralis_abi::{ConvolverV1, Instance, LatencyCode, Message, Plan, Slice, SliceMut, Status};

use crate::call::{Failure, Result, contain, read, same_length, write};

pub static TABLE: ConvolverV1 = ConvolverV1 {
    create: Some(create),
    process: Some(process),
    reset: Some(reset),
    destroy: Some(destroy),
};

/// The longest block that a plan is made for.
const LONGEST: usize = 1 << 24;

struct Convolver {
    /// The taps that are not zero, with how far back each reaches.
    taps: Vec<(usize, f64)>,
    /// The last samples, as a ring: as many as the farthest tap reaches back, a power of two.
    past: Vec<f32>,
    now: usize,
}

impl Convolver {
    fn new(impulse: &[f32], behind: usize) -> Self {
        let taps = impulse.iter().enumerate();
        let taps: Vec<_> = taps
            .filter(|(_, tap)| **tap != 0.0)
            .map(|(back, tap)| (back + behind, f64::from(*tap)))
            .collect();
        let past = vec![0.0; (impulse.len() + behind).next_power_of_two()];
        Self { taps, past, now: 0 }
    }

    fn process(&mut self, dst: &mut [f32], src: &[f32]) {
        let mask = self.past.len() - 1;
        for (y, x) in dst.iter_mut().zip(src) {
            self.now = (self.now + 1) & mask;
            self.past[self.now] = *x;
            let reached = |back: usize| f64::from(self.past[self.now.wrapping_sub(back) & mask]);
            *y = self
                .taps
                .iter()
                .map(|(back, tap)| tap * reached(*back))
                .sum::<f64>() as f32;
        }
    }
}

fn plan(impulse: &[f32], block: usize, latency: LatencyCode) -> Result<(Convolver, usize)> {
    if impulse.is_empty() || block == 0 || block > LONGEST {
        let text = "a convolver needs a tap, and blocks of 1 to 2^24 samples";
        return Err(Failure(Status::INVALID_INPUT, text));
    }
    let behind = match latency {
        LatencyCode::ZERO => 0,
        LatencyCode::ONE_BLOCK => block,
        _ => return Err(Failure(Status::UNSUPPORTED, "an unknown latency")),
    };
    Ok((Convolver::new(impulse, behind), behind))
}

// SAFETY of all: the host keeps the rules of the wire.

unsafe extern "C" fn create(
    _: *const Instance,
    impulse: Slice<f32>,
    block: usize,
    latency: LatencyCode,
    place: *mut *mut Plan,
    frames_behind: *mut usize,
    message: *mut Message,
) -> Status {
    // SAFETY: see the top.
    unsafe {
        contain(message, || {
            let (convolver, behind) = plan(read(impulse), block, latency)?;
            frames_behind.write(behind);
            place.write(Box::into_raw(Box::new(convolver)).cast());
            Ok(())
        })
    }
}

unsafe extern "C" fn process(
    plan: *mut Plan,
    dst: SliceMut<f32>,
    src: Slice<f32>,
    message: *mut Message,
) -> Status {
    // SAFETY: see the top.
    unsafe {
        contain(message, || {
            same_length(dst.len, src.len)?;
            (*plan.cast::<Convolver>()).process(write(dst), read(src));
            Ok(())
        })
    }
}

unsafe extern "C" fn reset(plan: *mut Plan, message: *mut Message) -> Status {
    // SAFETY: see the top.
    unsafe {
        contain(message, || {
            (*plan.cast::<Convolver>()).past.fill(0.0);
            Ok(())
        })
    }
}

unsafe extern "C" fn destroy(plan: *mut Plan) {
    if plan.is_null() {
        return;
    }
    // SAFETY: see the top.
    let dropped = catch_unwind(AssertUnwindSafe(|| {
        drop(unsafe { Box::from_raw(plan.cast::<Convolver>()) })
    }));
    if let Err(payload) = dropped {
        mem::forget(payload);
    }
}
