//! What a call through the Optimizer costs beyond the work: 64 samples, where it weighs most.

use std::hint::black_box;
use std::sync::Arc;

use auralis::core::accelerator::AcceleratorSettings;
use auralis::core::{Accelerator, Bound, BuildContext, Options, kernel};
use auralis::registry::Registry;

use super::{Context, Figure, Findings};
use crate::aligned::{Aligned, noise, wide};
use crate::cell::Cell;

const LEN: usize = 64;
const AIM: &str = "at most 1.5 ns";

type Direct = fn(&mut [f32], f32);

#[inline(always)]
fn scale(data: &mut [f32], _: &[&[f32]], parameters: &[f32]) {
    scale_by(data, parameters[0]);
}

#[inline(always)]
fn scale_by(data: &mut [f32], gain: f32) {
    for x in data {
        *x *= gain;
    }
}

kernel! {
    name: "auralis.peers-scale",
    summary: "Multiplies by a gain: what a call costs",
    sources: 0,
    parameters: [gain: -1.0..=1.0],
    reference: scale,
    variants: [
        #[cfg(target_arch = "x86_64")] "avx2": ["avx2", "fma"] => scale,
        #[cfg(target_arch = "x86_64")] "avx512": ["avx512f", "avx2", "fma"] => scale,
    ],
    bound: Bound { relative: 0.0, absolute: 0.0 },
}

/// The same source compiled for the variant's features, called by nothing but its address.
fn direct(variant: &str) -> Direct {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx512f,avx2,fma")]
        fn avx512(data: &mut [f32], gain: f32) {
            scale_by(data, gain);
        }
        #[target_feature(enable = "avx2,fma")]
        fn avx2(data: &mut [f32], gain: f32) {
            scale_by(data, gain);
        }
        if variant == "avx512" {
            // SAFETY: the optimizer chooses a variant only where the CPU has its features.
            return |data, gain| unsafe { avx512(data, gain) };
        }
        if variant == "avx2" {
            // SAFETY: as above.
            return |data, gain| unsafe { avx2(data, gain) };
        }
    }
    let _ = variant;
    scale_by
}

/// The backend that runs `scale` at this length, built alone.
fn alone(context: &Context) -> Result<Arc<dyn Accelerator>, String> {
    let selections = context.optimizer.selections();
    let selection = selections.iter().find(|s| s.kind == "accelerator");
    let selection = selection.ok_or("the accelerator was put in by hand")?;
    let shares = selection.measured.as_ref().and_then(|m| m.get("scale"));
    let measured = shares.and_then(|shares| shares.iter().rfind(|s| s.from[0] <= LEN));
    let named = selection.kernels.as_ref().and_then(|k| k.get("scale"));
    let id = measured
        .map(|share| &share.backend)
        .or(named)
        .unwrap_or(&selection.chosen);
    let registry = Registry::linked().map_err(|error| error.to_string())?;
    let candidate = registry.candidate::<dyn Accelerator>(id);
    let build = BuildContext {
        cpu: context.optimizer.cpu(),
        settings: &AcceleratorSettings::default(),
        options: &Options::default(),
    };
    let built = candidate
        .ok_or(format!("{id} is not linked"))?
        .build(&build);
    built.map_err(|error| error.to_string())
}

/// The calls beside each other; the figures are their differences.
pub fn run(context: &Context, findings: &mut Findings) {
    let data = noise(LEN, 11);
    let expected: Vec<f64> = data.iter().map(|&x| -f64::from(x)).collect();
    let read = |d: &Aligned<f32>| wide(d);
    let kernel = context
        .optimizer
        .kernel("auralis.peers-scale")
        .expect("it is registered here");
    let call: Direct = black_box(direct(kernel.variant()));
    let cell = Cell::new(
        "call of scale",
        LEN,
        data.clone(),
        expected.clone(),
        0.0,
        read,
    )
    .ours(|| {
        let ours = context.accelerator();
        move |d: &mut Aligned<f32>| ours.scale(d, -1.0).unwrap()
    })
    .peer(
        "the backend alone",
        alone(context).map(|backend| move |d: &mut Aligned<f32>| backend.scale(d, -1.0).unwrap()),
    )
    .peer(
        "a function pointer",
        Ok::<_, String>(move |d: &mut Aligned<f32>| {
            black_box(call)(d, -1.0);
        }),
    );
    let measured = cell.measure(context.effort);
    differences(findings, "scale through the Optimizer", &measured);
    let cell = Cell::new("call of a kernel", LEN, data, expected, 0.0, read)
        .ours(|| {
            let kernel = kernel.clone();
            move |d: &mut Aligned<f32>| kernel.call(d, &[], &[-1.0]).unwrap()
        })
        .peer(
            "a function pointer",
            Ok::<_, String>(move |d: &mut Aligned<f32>| {
                black_box(call)(d, -1.0);
            }),
        );
    let measured = cell.measure(context.effort);
    differences(findings, "a kernel of an application's own", &measured);
}

fn differences(findings: &mut Findings, what: &str, measured: &crate::cell::Measured) {
    let Some((ours, again)) = measured.ours else {
        return;
    };
    for (who, ns) in &measured.peers {
        findings.figures.push(Figure {
            name: format!("{what}, {LEN} samples, beyond {who}"),
            value: ours.min(again) - ns,
            unit: "ns",
            goal: AIM,
        });
    }
}
