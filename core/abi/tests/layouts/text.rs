//! The layouts as text: one line per fact, so that a change shows as what it is.

use std::fmt::Write;

use crate::description::{Abi, Body, Function, MemberKind, Type};

pub fn write(abi: &Abi) -> String {
    let mut out = String::from(
        "# The layouts of ABI 1, on machines of 64 bits: offset, name and type of every member.\n\
         # A released interface never changes, and neither does anything that it is made of.\n\
         # AURALIS_BLESS=1 cargo test -p auralis-abi --test layouts writes this file.\n",
    );
    for interface in &abi.interfaces {
        let table = abi
            .types
            .iter()
            .find(|t| t.name == interface.table)
            .unwrap();
        section(
            &mut out,
            &format!("interface {}: {}", interface.id, table.name),
            table,
        );
    }
    out.push_str("\nconstants\n");
    for (name, value) in abi.constants {
        writeln!(out, "  {name} {value}").unwrap();
    }
    let is_table = |of: &Type| abi.interfaces.iter().any(|i| i.table == of.name);
    let mut others: Vec<_> = abi.types.iter().filter(|t| !is_table(t)).collect();
    others.sort_by(|a, b| a.name.cmp(&b.name));
    for of in others {
        let sort = match of.body {
            Body::Opaque => "handle",
            Body::Code(_) => "code",
            Body::Struct(_) => "struct",
        };
        section(&mut out, &format!("{sort} {}", of.name), of);
    }
    out
}

fn section(out: &mut String, title: &str, of: &Type) {
    let mut line = |text: String| writeln!(out, "{text}").unwrap();
    if let Body::Opaque = of.body {
        return line(format!("\n{title}"));
    }
    line(format!(
        "\n{title}, {} bytes, aligned to {}",
        of.size, of.alignment
    ));
    match &of.body {
        Body::Opaque => {}
        Body::Code(values) => values
            .iter()
            .for_each(|(value, name)| line(format!("  {value} {name}"))),
        Body::Struct(members) => members.iter().for_each(|member| {
            let offset = member.offset;
            line(match &member.kind {
                MemberKind::Field(of) => format!("  {offset} {}: {of}", member.name),
                MemberKind::Function(of) => format!("  {offset} {}{}", member.name, signature(of)),
            });
        }),
    }
}

fn signature(function: &Function) -> String {
    let parameters: Vec<_> = function
        .parameters
        .iter()
        .map(|(name, of)| format!("{name}: {of}"))
        .collect();
    let result = function
        .result
        .as_ref()
        .map(|of| format!(" -> {of}"))
        .unwrap_or_default();
    format!("({}){result}", parameters.join(", "))
}
