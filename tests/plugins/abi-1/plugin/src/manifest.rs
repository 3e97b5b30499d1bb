//! What the file says of itself, for a host that runs none of its code.

macro_rules! records {
    ($($name:ident: $text:expr;)*) => {$(
        #[used]
        #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__auralis"))]
        #[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".auralis"))]
        static $name: [u8; $text.len() + 1] = {
            let mut bytes = [0; $text.len() + 1];
            bytes.split_at_mut($text.len()).0.copy_from_slice($text.as_bytes());
            bytes
        };
    )*};
}

records! {
    PLUGIN: concat!(
        r#"auralis-plugin {"abi":1,"name":"plugin-abi-1","version":"1.0.0","target":""#,
        env!("AURALIS_TARGET"),
        r#"","panic":"unwind","abi_stable":"0.11"}"#,
    );
    ACCELERATOR: concat!(
        r#"auralis-backend {"kind":"accelerator","id":"abi-1","summary":"An accelerator of ABI 1","#,
        r#""version":"1.0.0","rank":1,"requires":[],"#,
        r#""capabilities":["scale","add","dot","peak","convolver"],"#,
        r#""options_schema":{"type":"object","properties":{},"additionalProperties":false}}"#,
    );
    CACHE: concat!(
        r#"auralis-backend {"kind":"cache","id":"abi-1","summary":"Keeps what was put last","#,
        r#""version":"1.0.0","rank":-1,"requires":[],"capabilities":[],"#,
        r#""options_schema":{"type":"object","properties":{},"additionalProperties":false}}"#,
    );
}
