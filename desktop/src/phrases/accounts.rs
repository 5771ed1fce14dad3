//! The sentences of accounts, of operators, and of relays that are spoken to through TLS.

use super::Language;

phrases! { AccountPhrase;
    // The certificate.
    /// The question.
    CertificateTitle: "¿Es este el relay?", "Is this the relay?";
    /// Nobody vouches for it.
    CertificateUnknown: "Nadie responde del certificado de {0}. Compara su huella con la que te dé quien lleva el relay (se la dijo «tertulia-relay cert self-signed»). Si es la misma, es el relay, y no se vuelve a preguntar.",
        "Nobody vouches for the certificate of {0}. Compare its fingerprint with what you have from whoever runs the relay (“tertulia-relay cert self-signed” told it). If it is the same, this is the relay, and you are not asked again.";
    /// On the button.
    CertificateTrust: "Es la misma", "It is the same";
    /// In the banner.
    CertificateWaits: "falta confirmar el certificado de {0}", "the certificate of {0} is not confirmed";
    /// It is not the one that was confirmed.
    CertificateChanged: "el certificado de {0} no es el que confirmaste, y no se le ha dicho nada. Si quien lleva el relay lo ha cambiado, borra la huella en los ajustes; ahora es {1}",
        "the certificate of {0} is not the one you confirmed, and nothing was said to it. If whoever runs the relay has changed it, delete the fingerprint in the settings; it is {1} now";
    /// What answers speaks no TLS.
    NotTls: "en {0} no se habla TLS (¿es su puerto de TLS, el 2001?)", "no TLS is spoken at {0} (is it its port for TLS, 2001?)";
    /// The handshake has failed.
    TlsFailed: "TLS con {0} no es posible: {1}", "TLS with {0} is not possible: {1}";
    /// The port wants TLS.
    TlsNeeded: "en {0} se habla TLS: actívalo en los ajustes, o abre la ventana con --tls",
        "TLS is spoken at {0}: turn it on in the settings, or open the window with --tls";

    // Logging in.
    /// The question.
    PasswordTitle: "Contraseña de «{0}»", "Password of “{0}”";
    /// The name has an owner.
    NameRegistered: "«{0}» es el nombre de una cuenta.", "“{0}” is the name of an account.";
    /// Nobody comes in without.
    LoginNeeded: "En {0} solo se entra con una cuenta.", "Only those with an account come in at {0}.";
    /// It would be read on its way.
    LoginNotPrivate: "«{0}» es el nombre de una cuenta, y una contraseña no viaja sin cifrar: activa TLS en los ajustes, o elige otro nombre",
        "“{0}” is the name of an account, and a password does not travel unencrypted: turn TLS on in the settings, or choose another name";
    /// The same, where any name needs one.
    LoginNotPrivateAny: "hace falta una cuenta, y una contraseña no viaja sin cifrar: activa TLS en los ajustes",
        "an account is needed, and a password does not travel unencrypted: turn TLS on in the settings";
    /// While the relay looks at it.
    PasswordChecked: "el relay la está comprobando…", "the relay is checking it…";
    /// In the banner.
    PasswordWaits: "falta la contraseña de «{0}»", "the password of “{0}” is missing";
    /// A wrong one.
    PasswordWrong: "esa no es la contraseña de «{0}», o no hay tal cuenta", "that is not the password of “{0}”, or there is no such account";
    /// None at all.
    PasswordInvalid: "una contraseña tiene de 8 a 256 bytes, en una línea", "a password has 8 to 256 bytes, in one line";
    /// Twice, not the same.
    PasswordsDiffer: "no has escrito dos veces la misma", "you have not written the same twice";
    /// Too many tries.
    LoginAgain: "{0}; se vuelve a probar en {1} s", "{0}; trying again in {1} s";
    /// A field.
    Password: "Contraseña", "Password";
    /// A field.
    PasswordNew: "Contraseña nueva", "New password";
    /// A field.
    PasswordAgain: "La misma otra vez", "The same again";
    /// A field.
    KeepPassword: "Guardarla en el llavero del escritorio", "Keep it in the desktop's keyring";
    /// A button.
    LogIn: "Entrar", "Log in";
    /// A button.
    OtherName: "Otro nombre", "Another name";
    /// The account is banned.
    Banned: "la cuenta «{0}» está vetada", "the account “{0}” is banned";
    /// It greets, and knows no account.
    NoAccount: "«{0}» no es una cuenta de {1}; con /registrar puede serlo", "“{0}” is no account of {1}; /register makes it one";
    /// The keyring does not take it.
    KeyringFailed: "el llavero no ha guardado la contraseña", "the keyring has not kept the password";

    // Registering and another password.
    /// The question.
    RegisterTitle: "Registrar «{0}»", "Register “{0}”";
    /// What it means.
    RegisterWords: "Desde entonces solo quien sepa la contraseña puede llamarse así.", "From then on only who knows the password has that name.";
    /// A button.
    Register: "Registrar", "Register";
    /// It is done.
    Registered: "«{0}» es tu cuenta", "“{0}” is your account";
    /// The question.
    PasswdTitle: "Otra contraseña para «{0}»", "Another password for “{0}”";
    /// What it means.
    PasswdWords: "Los otros dispositivos de la cuenta tendrán que entrar de nuevo.", "The account's other devices have to log in anew.";
    /// A button.
    Passwd: "Cambiar", "Change";
    /// It is done.
    PasswdDone: "la contraseña es otra", "the password is another one";
    /// It would be read on its way.
    NotPrivate: "una contraseña no viaja sin cifrar: activa TLS en los ajustes", "a password does not travel unencrypted: turn TLS on in the settings";
    /// Somebody has taken another one on another device.
    PasswordChanged: "la contraseña de «{0}» ha cambiado: hace falta la nueva", "the password of “{0}” has changed: the new one is needed";
    /// The answer is still to come.
    PasswordBusy: "la última contraseña aún no tiene respuesta", "the last password has no answer yet";
    /// It begins as an order with a password does, and is none.
    HoldsPassword: "parece una orden con una contraseña, y no se dice a nadie: una orden va sola, con la barra lo primero",
        "that looks like an order with a password, and is said to nobody: an order stands alone, with its slash first";

    // What operators have done.
    /// In the banner, and among the lines: from where, and what the relay says of it.
    RemovedKicked: "te han echado de {0}: «{1}»", "you were put out of {0}: “{1}”";
    /// The same.
    RemovedBanned: "no te dejan entrar en {0}: «{1}»", "you are not let into {0}: “{1}”";
    /// On the button.
    ComeBack: "Volver (Enter)", "Come back (Enter)";
    /// Something is to be said by who was put out.
    ComeBackFirst: "aquí no te oye nadie: pulsa «Volver» antes", "nobody hears you: press “Come back” first";
    /// The account has another role.
    NowOperator: "ahora eres operador: lo que puedes hacer está en el menú de cada nombre", "you are an operator now: what you can do is in the menu of each name";
    /// The same.
    OperatorNoMore: "ya no eres operador", "you are no operator any more";

    // What the relay lists of bans and mutes: of whom, until when, by whom, and why.
    /// One for a time.
    ListedBan: "{0} está vetado hasta el {1}, por {2}{3}", "{0} is banned until {1}, by {2}{3}";
    /// One without end.
    ListedBanWithoutEnd: "{0} está vetado sin fin, por {2}{3}", "{0} is banned without end, by {2}{3}";
    /// One for a time.
    ListedMute: "{0} está silenciado hasta el {1}, por {2}{3}", "{0} is muted until {1}, by {2}{3}";
    /// One without end.
    ListedMuteWithoutEnd: "{0} está silenciado sin fin, por {2}{3}", "{0} is muted without end, by {2}{3}";
    /// Behind them.
    ListedAll: "{0} de {1} vetos y silencios; se quitan con /desvetar y /desilenciar", "{0} of {1} bans and mutes; /unban and /unmute take them back";

    // What operators do.
    /// In a menu.
    Kick: "Expulsar a {0}…", "Kick {0}…";
    /// In a menu.
    Mute: "Silenciar a {0}…", "Mute {0}…";
    /// In a menu.
    Unmute: "Dejar hablar a {0}", "Let {0} speak";
    /// In a menu.
    Ban: "Vetar a {0}…", "Ban {0}…";
    /// In a menu.
    Op: "Hacer operador a {0}…", "Make {0} an operator…";
    /// In a menu.
    Deop: "Quitar de operador a {0}…", "Take {0} from the operators…";
    /// Explains it.
    KickWords: "Se corta su conexión; puede volver.", "The connection is cut; they can come back.";
    /// Explains it.
    MuteWords: "Lee, y nadie le oye.", "They read, and nobody hears them.";
    /// Explains it.
    BanWords: "No podrá volver: su cuenta o, si no la tiene, su dirección.", "They cannot come back: the account or, where there is none, the address.";
    /// Explains it.
    OpWords: "Podrá expulsar, silenciar y vetar.", "They can kick, mute and ban.";
    /// Explains it.
    DeopWords: "Será una persona más.", "They will be one of all.";
    /// A field.
    Why: "Por qué", "Why";
    /// A field.
    ForHowLong: "Cuánto tiempo", "For how long";
    /// A choice.
    TenMinutes: "10 minutos", "10 minutes";
    /// A choice.
    OneHour: "1 hora", "1 hour";
    /// A choice.
    OneDay: "1 día", "1 day";
    /// A choice.
    OneWeek: "1 semana", "1 week";
    /// A choice.
    Always: "Sin fin", "Without end";
    /// A button.
    DoKick: "Expulsar", "Kick";
    /// A button.
    DoMute: "Silenciar", "Mute";
    /// A button.
    DoBan: "Vetar", "Ban";
    /// A button.
    DoOp: "Hacer operador", "Make an operator";
    /// A button.
    DoDeop: "Quitar de operador", "Take from the operators";
    /// An act was done: which, and to whom.
    ActDone: "hecho: /{0} {1}", "done: /{0} {1}";
    /// They are for operators.
    NotOperator: "eso es de operadores", "that is for operators";

    // The settings.
    /// A field.
    SettingTls: "Cifrado (TLS)", "Encrypted (TLS)";
    /// A field.
    SettingFingerprint: "Huella confirmada del certificado", "Confirmed fingerprint of the certificate";
    /// It is none.
    FingerprintInvalid: "la huella son 64 cifras hexadecimales, o nada", "a fingerprint is 64 hexadecimal digits, or nothing";

    // Orders.
    /// Explains it.
    HelpLogin: "/entrar [NOMBRE] — entrar en tu cuenta; la contraseña se pide aparte", "/login [NAME] — log in to your account; the password is asked for";
    /// Explains it.
    HelpRegister: "/registrar — tu nombre pasa a ser una cuenta", "/register — your name becomes an account";
    /// Explains it.
    HelpPasswd: "/clave — otra contraseña", "/passwd — another password";
    /// Explains it.
    HelpActs: "operadores: /expulsar, /silenciar, /desilenciar, /vetar, /desvetar, /op, /deop NOMBRE [TIEMPO] [POR QUÉ]; /vetos; /acceso, /permitir, /denegar SALA …",
        "operators: /kick, /mute, /unmute, /ban, /unban, /op, /deop NAME [TIME] [WHY]; /bans; /room, /allow, /deny ROOM …";
}
