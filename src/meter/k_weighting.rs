//! K-weighting: the two filters of ITU-R BS.1770-4, annex 1, and the weights of the channels.

use std::f64::consts::PI;

use auralis_core::Biquad;

/// The shelf and the high-pass of BS.1770-4, tables 1 and 2, carried from their 48 kHz to any sample
/// rate through the analog parameters that reproduce those tables: B. De Man, "Evaluation of
/// implementations of the EBU R128 loudness measurement", AES 145 (2018).
pub fn k_weighting(sample_rate: u32) -> [Biquad; 2] {
    let rate = f64::from(sample_rate);
    let shelf = {
        let (hz, gain_db, q) = (
            1_681.974_450_955_533,
            3.999_843_853_973_347,
            0.707_175_236_955_419_6,
        );
        let k = (PI * hz / rate).tan();
        let high = 10f64.powf(gain_db / 20.0);
        let band = high.powf(0.499_666_774_154_541_6);
        let a0 = 1.0 + k / q + k * k;
        Biquad {
            b0: (high + band * k / q + k * k) / a0,
            b1: 2.0 * (k * k - high) / a0,
            b2: (high - band * k / q + k * k) / a0,
            a1: 2.0 * (k * k - 1.0) / a0,
            a2: (1.0 - k / q + k * k) / a0,
        }
    };
    let high_pass = {
        let (hz, q) = (38.135_470_876_024_44, 0.500_327_037_323_877_3);
        let k = (PI * hz / rate).tan();
        let a0 = 1.0 + k / q + k * k;
        Biquad {
            b0: 1.0,
            b1: -2.0,
            b2: 1.0,
            a1: 2.0 * (k * k - 1.0) / a0,
            a2: (1.0 - k / q + k * k) / a0,
        }
    };
    [shelf, high_pass]
}

/// The positions of `WAVE_FORMAT_EXTENSIBLE` that lie beside or behind the listener, and weigh 1.41.
const SURROUND: u32 = 0x0000_0610 | 0x0000_0020 | 0x0000_0100;
/// The low-frequency channel, which is left out.
const LOW_FREQUENCY: u32 = 0x0000_0008;

/// The weight of each channel in the loudness (BS.1770-4, table 3): 1 in front, 1.41 beside and
/// behind, 0 for the low-frequency channel.
///
/// `mask` is the channel mask of the file, as in `WAVE_FORMAT_EXTENSIBLE`. Without one that fits,
/// the usual order is taken: L R, L R C, L R Ls Rs, L R C Ls Rs, L R C LFE Ls Rs, and further
/// surround channels.
pub fn channel_weights(channels: usize, mask: Option<u32>) -> Vec<f64> {
    let usual: u32 = match channels {
        1 => 0x4,
        2 => 0x3,
        3 => 0x7,
        4 => 0x33,
        5 => 0x37,
        6 => 0x3f,
        7 => 0x70f,
        8 => 0x63f,
        _ => 0,
    };
    let mask = mask
        .filter(|m| m.count_ones() as usize == channels)
        .unwrap_or(usual);
    let mut positions = (0..32).map(|bit| 1u32 << bit).filter(|bit| mask & bit != 0);
    (0..channels)
        .map(|_| match positions.next() {
            Some(LOW_FREQUENCY) => 0.0,
            Some(position) if position & SURROUND != 0 => 1.41,
            _ => 1.0,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filters_at_48_khz_are_those_of_the_standard() {
        let [shelf, high_pass] = k_weighting(48_000);
        let standard = [
            (shelf.b0, 1.535_124_859_586_97),
            (shelf.b1, -2.691_696_189_406_38),
            (shelf.b2, 1.198_392_810_852_85),
            (shelf.a1, -1.690_659_293_182_41),
            (shelf.a2, 0.732_480_774_215_85),
            (high_pass.a1, -1.990_047_454_833_98),
            (high_pass.a2, 0.990_072_250_366_21),
        ];
        for (got, want) in standard {
            assert!((got - want).abs() < 1e-8, "{got} instead of {want}");
        }
    }

    #[test]
    fn surround_weighs_more_and_low_frequency_nothing() {
        assert_eq!(channel_weights(1, None), [1.0]);
        assert_eq!(channel_weights(6, None), [1.0, 1.0, 1.0, 0.0, 1.41, 1.41]);
        assert_eq!(channel_weights(2, Some(0x3f)), [1.0, 1.0]);
        assert_eq!(channel_weights(3, Some(0xb)), [1.0, 1.0, 0.0]);
    }
}
