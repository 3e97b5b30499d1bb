//! The layouts as a header for C.

use std::fmt::Write;

use crate::description::{Abi, Body, Function, Interface, MemberKind, Type, Use};

const PREFACE: &str = include_str!("preface.h");
const EPILOGUE: &str = include_str!("epilogue.h");

/// The header.
pub fn write(abi: &Abi) -> String {
    let mut out = PREFACE.to_owned();
    out += &format!(
        "\n#define AURALIS_ABI_VERSION {}\n\n",
        auralis_abi::ABI_VERSION
    );
    for (name, value) in abi.constants {
        comment(&mut out, "", abi.docs.of_constant(name));
        writeln!(out, "#define AURALIS_{name} UINT64_C({value})").unwrap();
    }
    out.push('\n');
    for of in &abi.types {
        if let Body::Code(values) = &of.body {
            code(&mut out, abi, of, values);
        }
    }
    for of in abi
        .types
        .iter()
        .filter(|t| !matches!(t.body, Body::Code(_)))
    {
        if let Body::Opaque = of.body {
            comment(&mut out, "", abi.docs.of_type(of.base));
        }
        let name = c_name(&of.name);
        writeln!(out, "typedef struct {name} {name};").unwrap();
    }
    for of in &abi.types {
        if let Body::Struct(_) = of.body {
            out.push('\n');
            structure(&mut out, abi, of);
        }
    }
    out + "\n" + EPILOGUE
}

/// A source file that uses every macro and asserts the sizes and offsets of Rust.
pub fn assertions(abi: &Abi, assertion: &str) -> String {
    let mut out = String::from(
        "#include \"auralis.h\"\n\n\
         AURALIS_MANIFEST_PLUGIN(\"header\", \"1.0.0\");\n\
         AURALIS_MANIFEST(\"auralis-backend {}\");\n\n\
         static const AuralisBackendsV1 backends = {NULL, NULL, NULL, NULL};\n\
         static const AuralisInterfaceHeader header =\n    \
         AURALIS_INTERFACE(AURALIS_BACKENDS_V1, backends);\n\
         static const AuralisInterfaceHeader *get_interface(AuralisText name) {\n    \
         return name.len ? &header : NULL;\n}\n\
         AURALIS_EXPORT_PLUGIN(\"header\", \"1.0.0\", get_interface);\n\n",
    );
    let mut assert = |holds: String| writeln!(out, "{assertion}({holds}, \"layout\");").unwrap();
    for of in &abi.types {
        let name = c_name(&of.name);
        match &of.body {
            Body::Opaque => continue,
            Body::Code(_) => assert(format!("sizeof({name}) == {}", of.size)),
            Body::Struct(members) => {
                assert(format!("sizeof({name}) == {}", of.size));
                for member in members {
                    let (field, offset) = (c_member(member.name), member.offset);
                    assert(format!("offsetof({name}, {field}) == {offset}"));
                }
            }
        }
    }
    out
}

fn code(out: &mut String, abi: &Abi, of: &Type, values: &[(u32, String)]) {
    comment(out, "", abi.docs.of_type(of.base));
    writeln!(out, "typedef uint32_t {};", c_name(&of.name)).unwrap();
    let prefix = shouted(of.base.strip_suffix("Code").unwrap_or(of.base));
    for (value, name) in values {
        writeln!(
            out,
            "#define AURALIS_{prefix}_{} UINT32_C({value})",
            shouted(name)
        )
        .unwrap();
    }
    out.push('\n');
}

fn structure(out: &mut String, abi: &Abi, of: &Type) {
    let Body::Struct(members) = &of.body else {
        return;
    };
    comment(out, "", abi.docs.of_type(of.base));
    let name = c_name(&of.name);
    writeln!(out, "struct {name} {{").unwrap();
    for member in members {
        comment(out, "    ", abi.docs.of_member(of.base, member.name));
        let name = c_member(member.name);
        let declared = match &member.kind {
            MemberKind::Field(of) => declaration(of, &name),
            MemberKind::Function(of) => function(of, &name),
        };
        out.push_str(&wrapped(&format!("    {declared};")));
    }
    out.push_str("};\n");
    if let Some(Interface { id, .. }) = abi.interfaces.iter().find(|i| i.table == of.name) {
        writeln!(out, "#define AURALIS_{} \"{id}\"", shouted(of.base)).unwrap();
    }
}

fn function(of: &Function, name: &str) -> String {
    let parameters: Vec<_> = of
        .parameters
        .iter()
        .map(|(name, of)| declaration(of, &c_member(name)))
        .collect();
    let parameters = match parameters.is_empty() {
        true => "void".to_owned(),
        false => parameters.join(", "),
    };
    let declared = format!("(*{name})({parameters})");
    match &of.result {
        Some(result) => declaration(result, &declared),
        None => format!("void {declared}"),
    }
}

/// A declaration reads from its name outwards, as C does.
fn declaration(of: &Use, declarator: &str) -> String {
    match of {
        Use::Number(number) => format!("{} {declarator}", c_number(number)),
        Use::Named(name) => format!("{} {declarator}", c_name(name)),
        Use::Array { of, len } => declaration(of, &format!("{declarator}[{len}]")),
        Use::Pointer { mutable, to } => {
            let declarator = match **to {
                Use::Array { .. } => format!("(*{declarator})"),
                _ => format!("*{declarator}"),
            };
            match (mutable, &**to) {
                (true, _) => declaration(to, &declarator),
                (false, Use::Pointer { .. }) => declaration(to, &format!("const {declarator}")),
                (false, _) => format!("const {}", declaration(to, &declarator)),
            }
        }
    }
}

fn c_number(number: &str) -> &str {
    match number {
        "c_void" => "void",
        "u8" => "uint8_t",
        "u16" => "uint16_t",
        "i16" => "int16_t",
        "u32" => "uint32_t",
        "i32" => "int32_t",
        "u64" => "uint64_t",
        "i64" => "int64_t",
        "usize" => "size_t",
        "f32" => "float",
        "f64" => "double",
        other => panic!("{other} has no name in C"),
    }
}

/// `Slice<Complex<f32>>` is `AuralisSliceComplexF32`.
fn c_name(name: &str) -> String {
    let name = name.replace("; ", "x");
    let words = name
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    let mut c_name = String::from("Auralis");
    for word in words {
        let (first, rest) = word.split_at(1);
        c_name += &first.to_uppercase();
        c_name += rest;
    }
    c_name
}

/// The name, unless it is one that a compiler or a standard header takes for itself.
fn c_member(name: &str) -> String {
    let taken = [
        "complex",
        "concept",
        "delete",
        "imaginary",
        "new",
        "register",
        "requires",
        "signed",
        "template",
        "this",
    ];
    match taken.contains(&name) {
        true => format!("{name}_"),
        false => name.to_owned(),
    }
}

/// `ConvolutionMode` is `CONVOLUTION_MODE`.
fn shouted(name: &str) -> String {
    let mut shouted = String::new();
    let mut before = 'A';
    for c in name.chars() {
        if c.is_uppercase() && (before.is_lowercase() || before.is_numeric()) {
            shouted.push('_');
        }
        shouted.extend(c.to_uppercase());
        before = c;
    }
    shouted
}

fn comment(out: &mut String, indent: &str, text: Option<&str>) {
    let Some(text) = text else {
        return;
    };
    assert!(!text.contains("*/") && !text.contains("/*"), "{text}");
    let mut text = text.to_owned();
    for (rust, c) in [
        ("ROOT_SYMBOL", auralis_abi::ROOT_SYMBOL),
        ("PluginHeader::MAGIC", "The letters auralis and a zero"),
        ("ABI_VERSION", "AURALIS_ABI_VERSION"),
        ("NO_PERIOD", "AURALIS_NO_PERIOD"),
        ("NOT_COUNTED", "AURALIS_NOT_COUNTED"),
        ("Status::", "AURALIS_STATUS_"),
    ] {
        text = text.replace(rust, c);
    }
    let paragraphs: Vec<_> = text
        .split("\n\n")
        .map(|paragraph| lines(paragraph, 93 - indent.len()).join(&format!("\n{indent} * ")))
        .collect();
    let text = paragraphs.join(&format!("\n{indent} *\n{indent} * "));
    writeln!(out, "{indent}/* {text} */").unwrap();
}

/// The words of a text in lines of at most so many characters.
fn lines(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                *line += " ";
                *line += word;
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// One parameter a line where one line is too short for all.
fn wrapped(declared: &str) -> String {
    match declared.split_once(")(") {
        Some((before, after)) if declared.len() > 100 => {
            let (parameters, end) = after.rsplit_once(')').unwrap_or((after, ""));
            let parameters = parameters.replace(", ", ",\n        ");
            format!("{before})(\n        {parameters}){end}\n")
        }
        _ => format!("{declared}\n"),
    }
}
