//! The sentences for people, in Spanish and English. What machines read stands beside them, in English only.

/// The language of the relay's sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// Spanish, as the programs this relay replaces.
    #[default]
    Es,
    /// English.
    En,
}

macro_rules! phrases {
    ($($(#[$doc:meta])* $name:ident $(if $feature:literal)?: $es:literal, $en:literal;)*) => {
        /// A sentence.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Phrase { $($(#[$doc])* $(#[cfg(feature = $feature)])? $name,)* }

        impl Phrase {
            /// Its words.
            #[allow(unused_doc_comments, reason = "the attributes of a variant, some of which matter here")]
            pub fn in_language(self, language: Language) -> &'static str {
                let both = match self {
                    $($(#[$doc])* $(#[cfg(feature = $feature)])? Self::$name => [$es, $en],)*
                };
                let [es, en] = both;
                if language == Language::Es { es } else { en }
            }
        }
    };
}

phrases! {
    /// Text without a name.
    NameNeeded: "primero di quién eres: NOMBRE se ha unido al chat.",
        "say who you are first: NAME se ha unido al chat.";
    /// Somebody has it.
    NameInUse: "ese nombre lo usa otra persona; elige otro", "somebody else uses that name; choose another";
    /// Nobody may have it.
    NameReserved: "ese nombre está reservado; elige otro", "that name is reserved; choose another";
    /// It is no name.
    NameInvalid: "eso no vale como nombre: de 1 a 64 bytes, sin dos puntos ni caracteres invisibles, y sin empezar por * / @ [ #",
        "that is no name: 1 to 64 bytes, no colon or invisible characters, not starting with * / @ [ #";
    /// Another name was given.
    Renamed: "el nombre que pediste está en uso; así te ven los demás", "the name you asked for is in use; this is what others see";
    /// `/nick` was done.
    NickChanged: "así te llamas ahora", "this is your name now";
    /// Bytes that are no text.
    NotUtf8: "la línea no es texto UTF-8 y no se ha enviado", "the line is not UTF-8 text and was not sent";
    /// A line over the limit.
    LineTooLong: "la línea es demasiado larga y no se ha enviado", "the line is too long and was not sent";
    /// Cut for an unfinished line.
    LineIncomplete: "una línea sin terminar ha esperado demasiado", "an unfinished line has waited too long";
    /// Cut for reading too slowly.
    Slow: "lees demasiado despacio y te has perdido líneas; vuelve a conectar", "you read too slowly and missed lines; connect again";
    /// No place left.
    Full: "el relay está lleno; prueba más tarde", "the relay is full; try again later";
    /// No place left for that address.
    AddressFull: "demasiadas conexiones desde tu dirección", "too many connections from your address";
    /// Another protocol.
    Foreign: "esto es un chat en texto plano; prueba con nc", "this is a plain-text chat; try nc";
    /// No proxy, where only proxies come.
    ProxyOnly if "proxy": "este puerto es para un proxy; prueba en el otro", "this port is for a proxy; try the other one";
    /// Plain text where TLS is spoken.
    TlsNeeded if "tls": "este puerto es para TLS; prueba con openssl s_client, o en el otro puerto",
        "this port is for TLS; try openssl s_client, or the other port";
    /// A new certificate is bad.
    CertificateKept if "tls": "sigue el certificado de antes", "the certificate from before stays";
    /// New settings are wrong.
    SettingsKept if "config": "siguen los ajustes de antes", "the settings from before stay";
    /// New settings hold.
    SettingsTaken if "config": "desde ahora vale lo nuevo de", "taken up anew";
    /// New settings that do not hold yet.
    SettingsWait if "config": "hace falta reiniciar para lo nuevo de", "only a restart takes up";
    /// Accounts that cannot be looked at.
    AccountsKept if "history": "siguen las cuentas de antes; arregla el fichero y manda SIGHUP otra vez",
        "the accounts from before stay; mend the file and send SIGHUP again";
    /// The relay ends.
    Closing: "el relay se detiene; vuelve en un momento", "the relay is stopping; come back in a moment";
    /// A busy second.
    Storm: "entran y salen muchas personas a la vez", "many people come and go at once";
    /// The room was entered.
    Joined: "estás en esta sala", "you are in this room";
    /// No name for a room.
    RoomInvalid: "eso no vale como sala: de 1 a 32 bytes, sin espacios", "that is no room: 1 to 32 bytes, no spaces";
    /// No more rooms.
    TooManyRooms: "hay demasiadas salas; entra en una de /salas", "there are too many rooms; join one of /rooms";
    /// No such room.
    NoSuchRoom: "no existe esa sala; mira /salas", "there is no such room; see /rooms";
    /// No such command.
    UnknownCommand: "no existe esa orden; mira /ayuda (para escribir texto que empiece por /, pon //)",
        "there is no such command; see /help (for text that starts with /, write //)";
    /// The same, where everything that is said begins with tags.
    UnknownToPrograms: "no existe esa orden; mira /ayuda (lo que se dice empieza por @label=)",
        "there is no such command; see /help (what is said begins with @label=)";
    /// A word of `/hello` that is no option.
    StrayWord: "esa palabra sobra; un espacio dentro de un valor se escribe \\s",
        "that word is out of place; a space within a value is written \\s";
    /// A command lacks a word.
    Missing: "falta una palabra; mira /ayuda", "a word is missing; see /help";
    /// The receiver is not here.
    NotHere: "esa persona no está", "that person is not here";
    /// The receiver does not read.
    NotReading: "esa persona no está leyendo; no se le ha enviado", "that person is not reading; it was not sent";
    /// Nothing is kept.
    HistoryNone: "este relay no guarda lo que se dice", "this relay does not keep what is said";
    /// It cannot be written or read.
    HistoryTrouble: "el historial no se puede guardar ni leer en este momento; el chat sigue",
        "the history cannot be kept or read at the moment; the chat goes on";
    /// It can be written again.
    HistoryKept: "lo que se dice se vuelve a guardar", "what is said is kept again";
    /// Too many ask.
    HistoryBusy: "mucha gente pregunta a la vez por el historial; prueba en un momento",
        "too many people ask for the history at once; try again in a moment";
    /// A search that takes too long.
    SearchCostly: "esas palabras están en demasiadas líneas; busca con otras, o añade una menos corriente",
        "those words are in too many lines; look for others, or add one that is less common";
    /// A word that is to be a number.
    NoNumber: "ahí va un número; mira /ayuda", "that has to be a number; see /help";
    /// A word that is to be a time.
    NoTime: "un tiempo es un número y s, m, h, d o w, como 1h; un motivo empieza con otra cosa",
        "a time is a number and s, m, h, d or w, as 1h; a reason begins with something else";
    /// Extended mode, asked for twice.
    AlreadyExtended: "ya estás en modo extendido", "you are in extended mode already";
    /// Extended mode, asked for by somebody who has a name already.
    HelloTooLate: "el modo extendido se pide lo primero, antes de dar un nombre",
        "extended mode is asked for first, before a name is given";
    /// A token is not kept yet.
    HelloWait: "enseguida; el historial va lento", "in a moment; the history is slow";
    /// Only in extended mode.
    NotExtended: "eso es del modo extendido", "that is of extended mode";
    /// A room was left.
    Parted: "has dejado la sala", "you left the room";
    /// Extended mode of another version.
    Version: "este relay habla la versión 1 del modo extendido", "this relay speaks version 1 of extended mode";
    /// An unknown token.
    ResumeUnknown: "no conozco ese token; aquí va otro", "that token is not known; here is another";
    /// Another connection took over.
    Resumed: "otra conexión ha ocupado tu lugar", "another connection has taken your place";
    /// No answer to a ping.
    PingTimeout: "no has contestado; cierro", "you did not answer; closing";
    /// Too many rooms for one.
    TooManyRoomsHere: "ya estás en demasiadas salas", "you are in too many rooms already";
    /// Not in that room.
    NoRoom: "no estás en esa sala, o falta decir en cuál", "you are not in that room, or which one is missing";
    /// Nothing to say.
    Empty: "no hay nada que decir", "there is nothing to say";
    /// It begins as a command with a password does.
    HoldsPassword: "parecía una orden con una clave, y no se ha dicho a nadie; la barra va lo primero de la línea, sin nada delante",
        "that looked like a command with a password, and was said to nobody; its slash goes first in the line, with nothing before it";
    /// Another text had that label.
    LabelReused: "esa etiqueta ya era de otro texto", "that label was another text's already";
    /// A tag's value.
    TagInvalid: "esa etiqueta no vale así", "that tag cannot be that";
    /// No label.
    LabelNeeded: "en modo extendido cada línea empieza por @label=", "in extended mode each line starts with @label=";
    /// No good label.
    LabelInvalid: "una etiqueta es de 1 a 64 de A-Z a-z 0-9 . _ -", "a label is 1 to 64 of A-Z a-z 0-9 . _ -";
    /// Said, and not kept.
    NotKept: "se dijo, pero no se pudo guardar", "it was said, but could not be kept";
    /// Goodbye.
    Bye: "hasta pronto", "see you soon";
    /// Help for a command.
    HelpHello: "modo extendido, para programas", "extended mode, for programs";
    /// Help for a command.
    HelpPart: "dejar una sala (modo extendido)", "leave a room (extended mode)";
    /// Help for a command.
    HelpJoin: "ir a otra sala", "go to another room";
    /// Help for a command.
    HelpRooms: "qué salas hay", "what rooms there are";
    /// Help for a command.
    HelpWho: "quién está en la sala", "who is in the room";
    /// Help for a command.
    HelpMsg: "decir algo a una sola persona", "say something to one person alone";
    /// Help for a command.
    HelpNick: "cambiar de nombre", "change your name";
    /// Help for a command.
    HelpHistory: "lo último que se dijo en la sala", "what was said last in the room";
    /// Help for a command.
    HelpSearch: "buscar en lo que se dijo", "look for words in what was said";
    /// Help for a command.
    HelpHelp: "esta ayuda", "this help";
    /// Help for a command.
    HelpPing: "comprobar la conexión", "try the connection";
    /// Help for a command.
    HelpQuit: "salir del chat", "leave the chat";
    /// It is an account's.
    #[cfg(feature = "history")]
    NameRegistered: "ese nombre es de quien lo registró; entra con /login NOMBRE CLAVE, o elige otro",
        "that name is its owner's; log in with /login NAME PASSWORD, or choose another";
    /// The account has another name.
    #[cfg(feature = "history")]
    NameNotYours: "has entrado con tu cuenta, y ese no es su nombre",
        "you logged in, and that is not your account's name";
    /// Speaking for others.
    #[cfg(feature = "history")]
    NotBridge: "solo un puente puede hablar en nombre de otros",
        "only a bridge may speak for others";
    /// Nothing goes without an account.
    #[cfg(feature = "history")]
    LoginNeeded: "primero entra: /login NOMBRE CLAVE",
        "log in first: /login NAME PASSWORD";
    /// The password was right.
    #[cfg(feature = "history")]
    LoginDone: "has entrado",
        "you are logged in";
    /// Another token, because of a log-in.
    #[cfg(feature = "history")]
    NewToken: "desde ahora vale este token, y el de antes ya no",
        "from now on this token counts, and the one from before no more";
    /// No such account, or another password.
    #[cfg(feature = "history")]
    LoginRefused: "el nombre o la clave no son esos",
        "the name or the password is wrong";
    /// Too many passwords wait.
    #[cfg(feature = "history")]
    LoginBusy: "mucha gente entra a la vez; prueba en un momento",
        "many people log in at once; try again in a moment";
    /// Too many tries.
    #[cfg(feature = "history")]
    TooSoon: "demasiados intentos; espera esos segundos",
        "too many tries; wait for so many seconds";
    /// Twice.
    #[cfg(feature = "history")]
    AlreadyLoggedIn: "ya has entrado",
        "you are logged in already";
    /// A password in the clear.
    #[cfg(feature = "history")]
    NotPrivate: "por aquí otros podrían leerlo en el camino; conéctate por TLS",
        "others could read that on its way; connect over TLS";
    /// Nothing is kept.
    #[cfg(feature = "history")]
    NoAccounts: "este relay no tiene cuentas",
        "this relay has no accounts";
    /// A new account.
    #[cfg(feature = "history")]
    RegisterDone: "el nombre es tuyo; la próxima vez entra con /login",
        "the name is yours; next time use /login";
    /// An operator has made it for somebody else.
    #[cfg(feature = "history")]
    RegisterOtherDone: "la cuenta está hecha: su dueño entra con /login",
        "the account is there: its owner logs in with /login";
    /// Only operators make accounts.
    #[cfg(feature = "history")]
    RegisterClosed: "aquí las cuentas las hace un operador",
        "an operator makes the accounts here";
    /// Too many accounts.
    #[cfg(feature = "history")]
    AccountsFull: "no caben más cuentas",
        "there is no place for more accounts";
    /// Too short, or too long.
    #[cfg(feature = "history")]
    PasswordInvalid: "una clave tiene de 8 a 256 bytes",
        "a password has 8 to 256 bytes";
    /// Another password.
    #[cfg(feature = "history")]
    PasswdDone: "clave cambiada; los demás dispositivos tienen que entrar otra vez",
        "password changed; other devices have to log in again";
    /// Said while muted.
    #[cfg(feature = "history")]
    Muted: "un operador te ha silenciado",
        "an operator has muted you";
    /// An operator wanted that.
    #[cfg(feature = "history")]
    Kicked: "un operador ha cerrado tu conexión",
        "an operator has closed your connection";
    /// It may not be here.
    #[cfg(feature = "history")]
    Banned: "no puedes entrar en este relay",
        "you may not enter this relay";
    /// Not for everybody.
    #[cfg(feature = "history")]
    RoomClosed: "en esa sala no entra cualquiera",
        "that room is not open to everybody";
    /// Only for operators.
    #[cfg(feature = "history")]
    NotOperator: "eso es cosa de operadores",
        "that is for operators";
    /// An operator's act.
    #[cfg(feature = "history")]
    ActDone: "hecho",
        "done";
    /// The same, while nothing can be kept.
    #[cfg(feature = "history")]
    ActNotKept: "hecho, pero no se puede guardar en este momento: si el relay se detiene antes de poder, se pierde",
        "done, but it cannot be kept at the moment: if the relay stops before it can be, it is lost";
    /// This machine, or oneself.
    #[cfg(feature = "history")]
    Protected: "a quien está en esta máquina, o a ti, no se le puede vetar así",
        "who is on this machine, or yourself, cannot be banned like that";
    /// Nothing to take back.
    #[cfg(feature = "history")]
    NoSuchSanction: "no había nada que quitar",
        "there was nothing to take back";
    /// Too many bans.
    #[cfg(feature = "history")]
    TooManySanctions: "hay demasiados vetos; quita alguno con /unban",
        "there are too many bans; take some back with /unban";
    /// No such account.
    #[cfg(feature = "history")]
    NoAccount: "nadie ha registrado ese nombre",
        "nobody has registered that name";
    /// No such access.
    #[cfg(feature = "history")]
    AccessInvalid: "una sala es open, registered o members",
        "a room is open, registered or members";
    /// Where everybody begins.
    #[cfg(feature = "history")]
    DefaultRoom: "esa sala es donde empieza todo el mundo; para cerrar el relay está --access registered",
        "everybody begins in that room; --access registered closes the relay";
    /// Everybody may enter.
    #[cfg(feature = "history")]
    RoomNotClosed: "esa sala no es de members; usa antes /room",
        "that room is not for members; use /room first";
    /// Another role.
    NowOperator if "history": "ahora eres operador; mira en /ayuda lo que puedes hacer",
        "you are an operator now; see in /help what you can do";
    /// Another role.
    NowBridge if "history": "tu cuenta es ahora un puente, y puede hablar en nombre de otros",
        "your account is a bridge now, and may speak for others";
    /// Another role.
    NowUser if "history": "tu cuenta es ahora como las demás", "your account is now like any other";
    /// Another password.
    PasswordChanged if "history": "la clave de tu cuenta ha cambiado; entra otra vez, con la nueva",
        "your account's password has changed; log in again, with the new one";
    /// No account any more.
    AccountRemoved if "history": "tu cuenta ya no existe", "your account is no more";
    /// Help for a command.
    #[cfg(feature = "history")]
    HelpRegister: "hacer tuyo un nombre",
        "make a name yours";
    /// Help for a command.
    #[cfg(feature = "history")]
    HelpLogin: "entrar con tu cuenta",
        "log in to your account";
    /// Help for a command.
    #[cfg(feature = "history")]
    HelpPasswd: "cambiar la clave",
        "change your password";
    /// Help for a command.
    #[cfg(feature = "history")]
    HelpRead: "hasta dónde has leído (programas)",
        "how far you have read (programs)";
    /// Help for a command.
    #[cfg(feature = "history")]
    HelpAct: "para operadores",
        "for operators";
}
