//! The backend `misbehaving`: two kernels, right unless a fault is asked for.

use std::hint::black_box;
use std::sync::Arc;

use auralis_core::{Accelerator, CpuFeatures, Descriptor, Error, ErrorKind, Result, register};

use crate::fault;

#[derive(Debug)]
struct Misbehaving;

register! {
    Descriptor::<dyn Accelerator> {
        id: "misbehaving",
        summary: "Breaks as it is told",
        version: env!("CARGO_PKG_VERSION"),
        // Above all that is linked, so that `auto` would choose it.
        rank: 1000,
        requires: CpuFeatures::NONE,
        capabilities: &["scale", "mix"],
        options_schema: r#"{"type":"object","properties":{"quiet":{"type":"boolean"}},"additionalProperties":false}"#,
        build: |context| {
            assert!(!fault::is("panic-in-build"), "told to panic in build");
            if let Some(options) = context.options.as_json().as_object()
                && options.iter().all(|(key, value)| key == "quiet" && value.is_boolean())
            {
                return Ok(Arc::new(Misbehaving));
            }
            let text = "the options are `quiet`, a boolean, and no more";
            Err(Error::new(ErrorKind::Config, text))
        },
    }
}

impl Drop for Misbehaving {
    fn drop(&mut self) {
        assert!(!fault::is("panic-in-drop"), "told to panic in drop");
    }
}

impl Accelerator for Misbehaving {
    fn scale(&self, data: &mut [f32], gain: f32) -> Result<()> {
        assert!(!fault::is("panic-in-kernel"), "told to panic in a kernel");
        if fault::is("illegal-instruction") {
            illegal_instruction();
        }
        let len = match fault::is("off-by-one") {
            true => short_of_a_tail(data.len()),
            false => data.len(),
        };
        data[..len].iter_mut().for_each(|sample| *sample *= gain);
        if fault::is("nan")
            && let Some(first) = data.first_mut()
        {
            *first = f32::NAN;
        }
        if fault::is("wrong") {
            data.iter_mut().for_each(|sample| *sample += 0.25);
        }
        if fault::is("overrun") {
            // SAFETY: none: this is the fault.
            unsafe { data.as_mut_ptr().add(data.len()).write_volatile(0.5) };
        }
        if fault::is("past-the-heap") {
            past_the_heap();
        }
        if fault::is("past-the-stack") {
            past_the_stack();
        }
        if fault::is("unwritten") && unwritten() != 0 {
            data.iter_mut().for_each(|sample| *sample += 0.25);
        }
        Ok(())
    }

    fn mix(&self, dst: &mut [f32], src: &[f32], gain: f32) -> Result<()> {
        if dst.len() != src.len() {
            return Err(Error::new(ErrorKind::InvalidInput, "the lengths differ"));
        }
        if fault::is("never-returns") {
            loop {
                std::hint::spin_loop();
            }
        }
        for (to, from) in dst.iter_mut().zip(src) {
            *to += from * gain;
        }
        Ok(())
    }
}

/// One less where samples are left over behind whole vectors: what a loop over a tail gets wrong.
fn short_of_a_tail(len: usize) -> usize {
    const LANES: usize = 16;
    len - usize::from(len > LANES && !len.is_multiple_of(LANES))
}

/// Writes behind a block of the heap, where it does no harm as long as nothing else lies there.
fn past_the_heap() {
    let mut block = black_box(Vec::<u8>::with_capacity(20));
    // SAFETY: none: this is the fault.
    unsafe { block.as_mut_ptr().add(20).write_volatile(1) };
}

/// Writes far above its own frame, to what belongs to those who called it.
fn past_the_stack() {
    let mut here = 0u8;
    let above = black_box(&raw mut here).wrapping_add(64 << 10);
    // SAFETY: none: this is the fault.
    unsafe { above.write_volatile(!above.read_volatile()) };
}

/// What stands in a large new block, which is mostly zero before somebody writes to it.
fn unwritten() -> u8 {
    let block = black_box(Vec::<u8>::with_capacity(1 << 20));
    // SAFETY: none: this is the fault.
    unsafe { block.as_ptr().add(1 << 16).read_volatile() }
}

/// Stands for an instruction that this CPU lacks: no CPU has this one.
fn illegal_instruction() {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: none: this is the fault.
    unsafe {
        std::arch::asm!("ud2");
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: none: this is the fault.
    unsafe {
        std::arch::asm!("udf #0");
    }
}
