//! What the operating system calls this CPU.

/// The model of the CPU as the system names it, or what it was built for where nothing says.
pub(super) fn cpu_model() -> String {
    found().unwrap_or_else(|| format!("unknown ({})", std::env::consts::ARCH))
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn found() -> Option<String> {
    model_of(&std::fs::read_to_string("/proc/cpuinfo").ok()?)
}

#[cfg(target_os = "macos")]
fn found() -> Option<String> {
    let mut ask = std::process::Command::new("/usr/sbin/sysctl");
    let answer = ask.args(["-n", "machdep.cpu.brand_string"]).output().ok()?;
    let model = String::from_utf8(answer.stdout).ok()?.trim().to_owned();
    (!model.is_empty()).then_some(model)
}

#[cfg(windows)]
fn found() -> Option<String> {
    std::env::var("PROCESSOR_IDENTIFIER").ok()
}

#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_os = "macos",
    windows
)))]
fn found() -> Option<String> {
    None
}

/// The first processor of `/proc/cpuinfo`: on x86 its name and numbers, on Arm its numbers.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn model_of(cpuinfo: &str) -> Option<String> {
    let first = cpuinfo.lines().take_while(|line| !line.trim().is_empty());
    let fields: Vec<_> = first.filter_map(|line| line.split_once(':')).collect();
    let field = |name: &str| {
        let found = fields.iter().find(|(key, _)| key.trim() == name);
        found.map(|(_, value)| value.trim())
    };
    let numbered = |names: &[&str]| {
        let numbers = names.iter().filter_map(|name| {
            let value = field(name)?;
            Some(format!("{} {value}", name.trim_start_matches("CPU ")))
        });
        numbers.collect::<Vec<_>>().join(", ")
    };
    let numbers = match field("cpu family") {
        Some(_) => numbered(&["cpu family", "model", "stepping"]),
        None => numbered(&["CPU implementer", "CPU part", "CPU variant", "CPU revision"]),
    };
    match (field("model name"), numbers.is_empty()) {
        (Some(name), true) => Some(name.to_owned()),
        (Some(name), false) => Some(format!("{name} ({numbers})")),
        (None, false) => Some(numbers),
        (None, true) => None,
    }
}

#[cfg(all(test, any(target_os = "linux", target_os = "android")))]
mod tests {
    use super::*;

    #[test]
    fn the_first_processor_is_named() {
        for (cpuinfo, expected) in [
            (
                "processor\t: 0\ncpu family\t: 6\nmodel\t\t: 207\nmodel name\t: Some CPU\nstepping\t: 2\n\n\
                 processor\t: 1\nmodel name\t: Another\n",
                Some("Some CPU (cpu family 6, model 207, stepping 2)"),
            ),
            (
                "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n",
                Some("implementer 0x41, part 0xd0c"),
            ),
            ("no colon", None),
            ("", None),
        ] {
            assert_eq!(model_of(cpuinfo).as_deref(), expected);
        }
    }
}
