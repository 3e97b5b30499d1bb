//! Every table and every type that it is made of, read from abi_stable's descriptions.

use std::collections::HashMap;
use std::fmt;

use abi_stable::StableAbi;
use abi_stable::std_types::utypeid::UTypeId;
use abi_stable::type_layout::{ReprAttr, TLData, TLField, TLFunction, TLPrimitive, TypeLayout};
use auralis_abi::{InterfaceHeader, PluginHeader, export, tables};

use crate::codes;
use crate::docs::Docs;

/// The tables by their names, and all types.
pub struct Abi {
    pub interfaces: Vec<Interface>,
    /// Each after those that it holds by value.
    pub types: Vec<Type>,
    /// Numbers that mean something of their own.
    pub constants: [(&'static str, u64); 2],
    pub docs: Docs,
}

/// A table.
pub struct Interface {
    pub id: &'static str,
    /// The name of its type.
    pub table: String,
}

/// A named type.
pub struct Type {
    /// As in Rust: `Slice<f32>`.
    pub name: String,
    /// Without what it is generic over: `Slice`.
    pub base: &'static str,
    pub size: usize,
    pub alignment: usize,
    pub body: Body,
}

pub enum Body {
    /// Only ever behind a pointer.
    Opaque,
    /// A number with a name for each value.
    Code(Vec<(u32, String)>),
    Struct(Vec<Member>),
}

pub struct Member {
    pub name: &'static str,
    pub offset: usize,
    pub kind: MemberKind,
}

pub enum MemberKind {
    Field(Use),
    Function(Function),
}

/// A function pointer that may be NULL.
pub struct Function {
    pub parameters: Vec<(&'static str, Use)>,
    pub result: Option<Use>,
}

/// A type where it is used.
#[derive(Clone)]
pub enum Use {
    Number(&'static str),
    Pointer { mutable: bool, to: Box<Use> },
    Array { of: Box<Use>, len: usize },
    Named(String),
}

impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(name) => f.write_str(name),
            Self::Pointer { mutable: true, to } => write!(f, "*mut {to}"),
            Self::Pointer { mutable: false, to } => write!(f, "*const {to}"),
            Self::Array { of, len } => write!(f, "[{of}; {len}]"),
            Self::Named(name) => f.write_str(name),
        }
    }
}

impl Abi {
    /// Reads what this crate serves.
    pub fn read() -> Self {
        let mut walk = Walk {
            docs: Docs::read(),
            named: HashMap::new(),
            types: Vec::new(),
        };
        walk.of(PluginHeader::LAYOUT);
        walk.of(InterfaceHeader::LAYOUT);
        let interfaces = export::INTERFACES.iter().map(|header| Interface {
            // SAFETY: the ids of our own headers are static strings.
            id: unsafe { header.id.open_str() }.unwrap(),
            table: walk.of(header.layout.unwrap()).to_string(),
        });
        Self {
            interfaces: interfaces.collect(),
            types: walk.types,
            constants: [
                ("NO_PERIOD", tables::NO_PERIOD),
                ("NOT_COUNTED", tables::NOT_COUNTED),
            ],
            docs: walk.docs,
        }
    }
}

struct Walk {
    docs: Docs,
    named: HashMap<UTypeId, String>,
    types: Vec<Type>,
}

impl Walk {
    fn of(&mut self, layout: &'static TypeLayout) -> Use {
        match layout.data() {
            TLData::Primitive(primitive) => self.primitive(primitive, layout),
            TLData::Struct { .. } if layout.name() == "c_void" => Use::Number("c_void"),
            TLData::Struct { .. } => Use::Named(self.structure(layout)),
            // The description of a layout, which may be NULL.
            TLData::Enum(_) if layout.name() == "Option" => self.of(parameter(layout)),
            _ => panic!("`{}` has no place on the wire", layout.full_type()),
        }
    }

    fn primitive(&mut self, primitive: TLPrimitive, layout: &'static TypeLayout) -> Use {
        let mut pointer = |mutable| Use::Pointer {
            mutable,
            to: Box::new(self.of(parameter(layout))),
        };
        Use::Number(match primitive {
            TLPrimitive::ConstPtr | TLPrimitive::SharedRef => return pointer(false),
            TLPrimitive::MutPtr => return pointer(true),
            TLPrimitive::Array => {
                let element = parameter(layout);
                return Use::Array {
                    len: layout.size() / element.size(),
                    of: Box::new(self.of(element)),
                };
            }
            TLPrimitive::U8 => "u8",
            TLPrimitive::U16 => "u16",
            TLPrimitive::I16 => "i16",
            TLPrimitive::U32 => "u32",
            TLPrimitive::I32 => "i32",
            TLPrimitive::U64 => "u64",
            TLPrimitive::I64 => "i64",
            TLPrimitive::Usize => "usize",
            TLPrimitive::F32 => "f32",
            TLPrimitive::F64 => "f64",
            other => panic!("{other:?} has no place on the wire"),
        })
    }

    /// The name of a structure, which is described when it is met first.
    fn structure(&mut self, layout: &'static TypeLayout) -> String {
        let base = layout.name();
        let id = layout.get_utypeid();
        if let Some(name) = self.named.get(&id) {
            return name.clone();
        }
        let name = match self.docs.is_generic(base) {
            true => format!("{base}<{}>", self.argument(layout)),
            false => base.to_owned(),
        };
        self.named.insert(id, name.clone());
        let body = self.body(layout);
        self.types.push(Type {
            name: name.clone(),
            base,
            size: layout.size(),
            alignment: layout.alignment(),
            body,
        });
        name
    }

    fn body(&mut self, layout: &'static TypeLayout) -> Body {
        let name = layout.name();
        if layout.size() == 0 || name == "TypeLayout" {
            return Body::Opaque;
        }
        if layout.repr_attr() == ReprAttr::Transparent {
            let known = codes::of(name);
            return Body::Code(known.unwrap_or_else(|| {
                panic!("`{name}` is a code that tests/layouts/codes.rs does not list")
            }));
        }
        assert_eq!(
            layout.repr_attr(),
            ReprAttr::C,
            "the representation of `{name}`"
        );
        let mut end = 0;
        let mut members = Vec::new();
        for field in fields(layout) {
            let (size, alignment) = (field.layout().size(), field.layout().alignment());
            let offset = aligned(end, alignment);
            members.push(Member {
                name: field.name(),
                offset,
                kind: self.member(&field),
            });
            end = offset + size;
        }
        assert_eq!(
            aligned(end, layout.alignment()),
            layout.size(),
            "the size of `{name}` is not that of its members by the rules of C"
        );
        Body::Struct(members)
    }

    fn member(&mut self, field: &TLField) -> MemberKind {
        match field.function_range().iter().next() {
            Some(function) => MemberKind::Function(self.function(&function)),
            None => MemberKind::Field(self.of(field.layout())),
        }
    }

    fn function(&mut self, function: &TLFunction) -> Function {
        let names = function.param_names.as_str().split(',');
        let types = function.param_type_layouts.iter();
        Function {
            parameters: names
                .zip(types)
                .map(|(name, of)| (name, self.of(of())))
                .collect(),
            result: function.return_type_layout().map(|of| self.of(of())),
        }
    }

    /// What a structure is generic over, which its description leaves out: what its first field
    /// points to, else the first floating-point number in it.
    fn argument(&mut self, layout: &'static TypeLayout) -> Use {
        let first = fields(layout).next().map(|field| field.layout());
        if let Some(pointer) = first
            && let TLData::Primitive(TLPrimitive::ConstPtr | TLPrimitive::MutPtr) = pointer.data()
        {
            return self.of(parameter(pointer));
        }
        let float = first_float(layout);
        Use::Number(float.unwrap_or_else(|| panic!("what is `{}` generic over?", layout.name())))
    }
}

fn first_float(layout: &'static TypeLayout) -> Option<&'static str> {
    match layout.data() {
        TLData::Primitive(TLPrimitive::F32) => Some("f32"),
        TLData::Primitive(TLPrimitive::F64) => Some("f64"),
        TLData::Primitive(_) => {
            let inner = layout.generics().type_params().first()?;
            first_float(inner())
        }
        TLData::Struct { .. } => fields(layout).find_map(|field| {
            let mut functions = field.function_range().iter();
            match functions.next() {
                Some(function) => {
                    let mut parameters = function.param_type_layouts.iter();
                    parameters.find_map(|parameter| first_float(parameter()))
                }
                None => first_float(field.layout()),
            }
        }),
        _ => None,
    }
}

fn fields(layout: &'static TypeLayout) -> impl Iterator<Item = TLField> {
    layout
        .get_fields()
        .into_iter()
        .flat_map(|fields| fields.iter())
}

/// What a pointer, array or option is of.
fn parameter(layout: &'static TypeLayout) -> &'static TypeLayout {
    let parameters = layout.generics().type_params();
    let Some(first) = parameters.first() else {
        panic!("`{}` has no place on the wire", layout.full_type());
    };
    first()
}

/// The next place after `end` that is aligned.
fn aligned(end: usize, alignment: usize) -> usize {
    end.next_multiple_of(alignment)
}
