//! Numbers as people read them.

/// A level with two decimals, or `-` where there is none.
pub fn level(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| fixed(value, 2))
}

/// A number with a fixed count of decimals and no negative zero.
pub fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.bytes().all(|b| matches!(b, b'0' | b'.')) => rest.to_owned(),
        _ => text,
    }
}

/// Playing time as minutes and seconds, with hours where there are any.
pub fn clock(seconds: f64) -> String {
    let tenths = (seconds.max(0.0) * 10.0).round() as u64;
    let (whole, tenth) = (tenths / 10, tenths % 10);
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}.{tenth}")
    } else {
        format!("{minutes}:{seconds:02}.{tenth}")
    }
}

/// How long something took: three digits and the unit that suits it.
pub fn duration(nanoseconds: f64) -> String {
    let units = [(1e9, "s"), (1e6, "ms"), (1e3, "us"), (1.0, "ns")];
    let (size, unit) = units
        .into_iter()
        .find(|(size, _)| nanoseconds >= *size)
        .unwrap_or((1.0, "ns"));
    let value = nanoseconds / size;
    let decimals = match value {
        _ if size == 1.0 => 0,
        v if v < 9.995 => 2,
        v if v < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$} {unit}")
}

/// A ratio such as a speed: three digits.
pub fn ratio(value: f64) -> String {
    fixed(value, if value < 99.95 { 1 } else { 0 })
}

/// A whole number with its thousands apart.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        let cases = [
            (level(Some(-14.0)), "-14.00"),
            (level(Some(-0.001)), "0.00"),
            (level(None), "-"),
            (clock(20.0), "0:20.0"),
            (clock(59.96), "1:00.0"),
            (clock(3725.55), "1:02:05.6"),
            (duration(0.0), "0 ns"),
            (duration(999.0), "999 ns"),
            (duration(1_234.0), "1.23 us"),
            (duration(12_345_678.0), "12.3 ms"),
            (duration(123.4e9), "123 s"),
            (ratio(64.52), "64.5"),
            (ratio(1234.5), "1234"),
            (count(7), "7"),
            (count(1_234_567), "1 234 567"),
        ];
        for (text, expected) in cases {
            assert_eq!(text, expected);
        }
    }
}
