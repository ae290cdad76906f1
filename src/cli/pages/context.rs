//! Pages of `mqtt context` and its verbs.

use super::{CONFIGURED, CONNECTING, CONTEXTS, Page};

/// The page of `mqtt context`.
pub const CONTEXT: Page = Page {
    command: "context",
    description: &[
        "A context is a file of connection options under a name, NAME.toml in ~/.config/mqtt/contexts: the long options of pub and sub as keys, \
         host = \"broker.example\", port = 8883, protocol-version = \"5\", insecure = true. Anything that is no such option is an error. A path \
         in it is one from the file's own folder, and ~/ is the user's. It can only be used when nobody else can read it, if it holds a password.",
        CONTEXTS,
        "A .mqtt.toml holds the same keys, or names a context, context = \"lab\", and nothing else. It may hold neither password-command nor tls-key-log nor a password-file that is elsewhere, and has to \
         belong to the user.",
    ],
    examples: &[
        (
            "Save a broker, with a password that stays in the password store",
            "mqtt context add lab -h lab.example -p 8883 -u ann --password-command 'pass mqtt/lab'",
        ),
        (
            "Use it here, and from now on everywhere",
            "mqtt pub --context lab -t a -m x",
        ),
        ("", "mqtt context select lab"),
        (
            "What would a command use in this folder, and why?",
            "mqtt context show",
        ),
    ],
    environment: CONNECTING,
};

/// The page of `mqtt context add`.
pub const CONTEXT_ADD: Page = Page {
    command: "context add",
    description: &[
        "Writes the options that are typed into the file of the context, which only its owner can read. Paths are written in full. With --context, \
         those of another one are taken over.",
    ],
    examples: &[
        (
            "A broker with its own certificate authority",
            "mqtt context add lab -h lab.example --cafile lab.pem -u ann --password-file ~/.lab",
        ),
        (
            "Change one option",
            "mqtt context add lab --replace --context lab -k 20",
        ),
    ],
    environment: CONFIGURED,
};

/// The page of `mqtt context ls`.
pub const CONTEXT_LS: Page = Page {
    command: "context ls",
    description: &["The selected context has a star."],
    examples: &[("", "mqtt context ls")],
    environment: CONFIGURED,
};

/// The page of `mqtt context show`.
pub const CONTEXT_SHOW: Page = Page {
    command: "context show",
    description: &[
        "One option a line, in the form of a context's file, with who said so behind it: flag, a variable, a file and its line, or default. \
         Passwords are shown as ***.",
        CONTEXTS,
    ],
    examples: &[
        ("What applies in this folder", "mqtt context show"),
        ("What a context says", "mqtt context show lab"),
        (
            "What would be different with these options",
            "mqtt context show lab -V 5",
        ),
    ],
    environment: CONNECTING,
};

/// The page of `mqtt context select`.
pub const CONTEXT_SELECT: Page = Page {
    command: "context select",
    description: &[
        "It is used where no broker and no other context is named, neither by an option nor by a variable nor by a .mqtt.toml.",
    ],
    examples: &[
        ("Select one", "mqtt context select lab"),
        ("Select none", "mqtt context select --none"),
    ],
    environment: CONFIGURED,
};

/// The page of `mqtt context rm`.
pub const CONTEXT_RM: Page = Page {
    command: "context rm",
    description: &["If it was the selected one, none is selected then."],
    examples: &[("", "mqtt context rm lab")],
    environment: CONFIGURED,
};
