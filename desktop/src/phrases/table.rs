//! Every sentence. What stands in front says where it is shown.

use super::{AccountPhrase, Language};

phrases! { Phrase Account(AccountPhrase);
    /// Somebody else's words.
    Verbatim: "{0}", "{0}";

    // The name.
    /// The question at the beginning.
    AskName: "¿Cómo te llamas?", "What is your name?";
    /// Below it.
    AskNameHint: "Si lo dejas vacío, serás {0}.", "Leave it empty and you will be {0}.";
    /// A name is taken.
    NameInUse: "«{0}» lo usa otra persona; elige otro nombre", "somebody else uses “{0}”; choose another name";
    /// A name is reserved.
    NameReserved: "«{0}» está reservado; elige otro nombre", "“{0}” is reserved; choose another name";
    /// It is none.
    NameInvalid: "eso no vale como nombre: hasta 64 bytes, sin dos puntos ni signos invisibles, y sin empezar por * / @ [ #",
        "that is no name: up to 64 bytes, no colon or invisible signs, not starting with * / @ [ #";
    /// The ghost of the last connection has the name.
    NameAgain: "tu conexión anterior aún tiene el nombre «{0}»; se vuelve a pedir en {1} s",
        "your last connection still has the name “{0}”; asking again in {1} s";
    /// It was changed.
    Renamed: "ahora te llamas {0}", "your name is {0} now";
    /// What one's own lines begin with.
    You: "Tú", "You";

    // The connection.
    /// It is being made.
    Connecting: "conectando con {0}…", "connecting to {0}…";
    /// Nobody listens.
    Refused: "no hay nadie escuchando en {0}", "nobody is listening at {0}";
    /// No way leads there.
    Unreachable: "no se puede llegar a {0}", "{0} cannot be reached";
    /// No network here.
    NoNetwork: "este equipo no tiene red; no se puede llegar a {0}", "this machine has no network; {0} cannot be reached";
    /// No answer in time.
    TimedOut: "{0} no contesta", "{0} does not answer";
    /// No such host.
    NameNotFound: "no se encuentra «{0}» (¿está bien escrito?)", "“{0}” cannot be found (is it written right?)";
    /// Not allowed.
    Denied: "el sistema no permite conectar con {0}", "the system does not allow a connection to {0}";
    /// Something else.
    ConnectFailed: "no se puede conectar con {0}: {1}", "cannot connect to {0}: {1}";
    /// The connection is gone.
    Disconnected: "se ha cortado la conexión con {0}", "the connection to {0} was cut";
    /// Somebody else answers there.
    NotTertulia: "en {0} no contesta un relay de Tertulia", "what answers at {0} is no Tertulia relay";
    /// Another version.
    Version: "el relay de {0} habla otra versión", "the relay at {0} speaks another version";
    /// It has gone silent.
    Silent: "el relay de {0} ha dejado de contestar", "the relay at {0} has stopped answering";
    /// Tells when it is tried again, behind one of the above.
    RetryIn: "{0}; reintento en {1} s", "{0}; trying again in {1} s";
    /// It is tried now.
    RetryNow: "{0}; reintentando…", "{0}; trying again…";
    /// The session is open elsewhere.
    TakenOver: "esta sesión se ha abierto en otro sitio; aquí está parada", "this session was opened elsewhere; it is stopped here";
    /// On the button that connects.
    Connect: "Conectar", "Connect";
    /// The relay stops.
    Closing: "el relay se detiene; se vuelve a conectar solo", "the relay is stopping; it connects again by itself";
    /// The window is being closed.
    Leaving: "despidiéndose…", "saying goodbye…";
    #[doc = "The relay does not greet us: where, and why."] HelloRefused: "el relay de {0} no te deja entrar: {1}", "the relay at {0} does not let you in: {1}";
    /// The part of the program that speaks with the relay has ended.
    LinkGone: "el programa ya no puede hablar con el relay; lo que escribiste está guardado: cierra la ventana y vuelve a abrirla",
        "the program cannot speak with the relay any more; what you wrote is kept: close the window and open it again";
    /// The relay cannot keep what is said.
    HistoryTrouble: "el relay no puede guardar lo que se dice en este momento; el chat sigue",
        "the relay cannot keep what is said at the moment; the chat goes on";
    /// It can again.
    HistoryKept: "lo que se dice se vuelve a guardar", "what is said is kept again";
    /// The outbox cannot be written.
    OutboxFailed: "no se puede escribir en el disco ({0}): lo que escribas se perdería al cerrar",
        "the disk cannot be written ({0}): what you write would be lost on closing";
    /// Something unreadable came.
    Unreadable: "ha llegado algo que no se entiende, y no se muestra", "something came that cannot be read, and is not shown";

    // Lines.
    /// On the button that says a line again.
    Retry: "reintentar", "retry";
    /// On the button that takes a refused line away.
    Discard: "descartar", "discard";
    /// In front of why a line was refused.
    NotSent: "no enviado: {0}", "not sent: {0}";
    /// Said, but not kept.
    NotKept: "dicho, pero el relay no lo pudo guardar", "said, but the relay could not keep it";
    /// Refused: no such person.
    NotHere: "esa persona no está", "that person is not here";
    /// Refused: the person does not read.
    NotReading: "esa persona no está leyendo", "that person is not reading";
    /// Refused: not in the room.
    NoRoom: "no estás en esa sala", "you are not in that room";
    /// Refused: too long.
    TooLong: "es demasiado largo", "it is too long";
    /// Refused: nothing left.
    Empty: "no queda nada que decir", "there is nothing left to say";
    /// Refused: too much waits.
    TooMuchWaits: "hay demasiado sin enviar; espera a que haya conexión", "too much is unsent; wait for the connection";
    /// Refused otherwise.
    RefusedOtherwise: "el relay no lo admite ({0})", "the relay does not take it ({0})";
    /// Lines may be there twice.
    MayBeDoubled: "puede que lo último que dijiste aquí salga dos veces", "what you said last here may be there twice";
    /// Lines are being fetched.
    GapFetching: "faltan líneas; se están pidiendo…", "lines are missing; they are being fetched…";
    /// They cannot be had.
    GapLeft: "aquí faltan líneas que ya no se pueden recuperar", "lines are missing here that cannot be had any more";
    /// The line that is answered is not at hand.
    QuoteOlder: "respuesta a una línea anterior", "answer to an earlier line";
    /// It cannot be found.
    QuoteGone: "esa línea ya no se encuentra", "that line cannot be found any more";
    /// A line without an id cannot be answered.
    ReplyLater: "esa línea aún no se ha enviado; espera un momento", "that line is not sent yet; wait a moment";

    /// A notice, or a line that was refused.
    ReplyNever: "a eso no se puede responder", "that cannot be answered";

    // Who comes and goes.
    #[doc = "One."] JoinedOne: "{0} se ha unido al chat", "{0} has joined the chat";
    #[doc = "Several."] JoinedMany: "{0} se han unido al chat", "{0} have joined the chat";
    #[doc = "One."] LeftOne: "{0} ha abandonado el chat", "{0} has left the chat";
    #[doc = "Several."] LeftMany: "{0} han abandonado el chat", "{0} have left the chat";
    /// Between the last two names.
    And: " y ", " and ";
    /// In place of further names.
    More: "{0} más", "{0} more";
    /// Nobody is named.
    People: "{0} personas", "{0} people";
    /// Nobody is named.
    OnePerson: "una persona", "one person";

    // Reading.
    /// The rule above what was not read.
    Unread: "sin leer", "unread";
    /// On the button to the end.
    NewOne: "1 nuevo ↓", "1 new ↓";
    /// On the button to the end.
    NewMany: "{0} nuevos ↓", "{0} new ↓";
    /// On the button to the first line that was not read.
    ToUnread: "↑ a lo no leído", "↑ to the unread";
    /// On the button to the end, with nothing new.
    ToEnd: "al final ↓", "to the end ↓";
    /// Older lines are being fetched.
    OlderFetching: "cargando lo anterior…", "loading earlier lines…";
    /// There is nothing older.
    OlderNone: "aquí empieza lo que se guarda", "here begins what is kept";
    /// The relay keeps nothing.
    OlderNotKept: "este relay no guarda lo que se dice", "this relay does not keep what is said";
    /// They could not be had.
    OlderFailed: "no se pudo cargar lo anterior; desplázate para probar otra vez", "earlier lines could not be loaded; scroll to try again";
    /// An empty conversation.
    NothingYet: "aún no se ha dicho nada", "nothing has been said yet";
    /// An empty private one.
    NothingPrivate: "lo que digas aquí lo lee solo {0}; el relay no lo guarda", "only {0} reads what you say here; the relay does not keep it";

    // Searching.
    /// In the empty bar.
    SearchLabel: "Buscar", "Search";
    /// Which match of how many.
    SearchCount: "{0} de {1}", "{0} of {1}";
    /// None in the window.
    SearchNone: "nada por aquí", "nothing here";
    /// On the button that asks the relay.
    SearchHistory: "Buscar en el historial", "Search the history";
    /// It is being asked.
    SearchAsking: "buscando en el historial…", "searching the history…";
    /// Nothing was found there.
    SearchHistoryNone: "nada más en el historial", "nothing more in the history";
    /// So many were found.
    SearchHistoryCount: "{0} en el historial", "{0} in the history";
    /// There are more.
    SearchMore: "Más antiguos", "Older ones";
    /// What a sign in the bar does.
    SearchUp: "Coincidencia anterior", "Previous match";
    /// What a sign in the bar does.
    SearchDown: "Coincidencia siguiente", "Next match";
    /// What a sign in the bar does.
    SearchClose: "Cerrar la búsqueda", "Close the search";
    /// It cannot be asked.
    SearchFailed: "ahora no se puede buscar en el historial; prueba en un momento", "the history cannot be searched now; try again in a moment";

    // Writing.
    /// In the empty input.
    InputLabel: "Escribe en {0}", "Write in {0}";
    /// In the empty input of a private conversation.
    InputLabelPrivate: "Escribe a {0}", "Write to {0}";
    /// Above the input.
    ReplyingTo: "Respondes a {0}: {1}", "Answering {0}: {1}";
    /// What the sign beside it does.
    ReplyCancel: "No responder", "Do not answer";
    /// How much is too much.
    TooLongBy: "sobran {0} bytes", "{0} bytes too many";
    /// A question.
    AskPaste: "Vas a pegar {0} líneas. ¿Pegarlas como un solo mensaje?", "You are pasting {0} lines. As one message?";
    /// Why a line of an earlier run is red.
    SentBefore: "quedó sin enviar la última vez", "it was left unsent last time";
    #[doc = "Why a line is red that was written for another relay's people."] WrittenFor: "escrita para {0}", "written for {0}";
    /// A paste that no message can hold.
    PasteTooLong: "eso no cabe en un mensaje: {0} bytes, y el máximo son {1}", "that does not fit a message: {0} bytes, and {1} are the most";
    /// Yes.
    Paste: "Pegar", "Paste";
    /// No.
    Cancel: "Cancelar", "Cancel";
    /// On the button.
    Send: "Enviar", "Send";

    // Commands.
    /// No such command.
    CommandUnknown: "no existe /{0}; mira /ayuda (para escribir texto que empiece por /, pon //)",
        "there is no /{0}; see /help (for text that starts with /, write //)";
    /// A word is missing.
    CommandMissing: "falta algo: {0}", "something is missing: {0}";
    /// No name for a room.
    RoomInvalid: "eso no vale como sala: hasta 32 bytes, sin espacios ni dos puntos", "that is no room: up to 32 bytes, no spaces or colons";
    /// Too many rooms.
    TooManyRooms: "ya estás en {0} salas, y son el máximo", "you are in {0} rooms already, which are the most";
    /// The relay does not let in.
    JoinRefused: "no se puede entrar en {0}: {1}", "{0} cannot be entered: {1}";
    /// A room that still has unsent lines.
    LeaveUnsent: "en {0} hay líneas sin enviar; espera, o descártalas", "{0} has unsent lines; wait, or discard them";
    /// The last room.
    LeaveLast: "es tu única sala; entra antes en otra", "it is your only room; join another one first";
    /// Only in rooms.
    NotARoom: "eso es cosa de salas", "that is for rooms";
    #[doc = "Done."] Ignored: "ya no se muestra lo que diga {0}", "what {0} says is not shown any more";
    #[doc = "Done."] Unignored: "se vuelve a mostrar lo que diga {0}", "what {0} says is shown again";
    #[doc = "Done."] Muted: "{0} está en silencio", "{0} is muted";
    #[doc = "Done."] Unmuted: "{0} vuelve a avisar", "{0} is not muted any more";
    /// Needs a connection.
    NeedsConnection: "ahora no hay conexión", "there is no connection now";
    /// What rooms there are.
    RoomsAre: "salas: {0}", "rooms: {0}";
    /// Who is there.
    PeopleAre: "en {0}: {1}", "in {0}: {1}";
    /// Oneself.
    NotYourself: "eso no puede hacerse con uno mismo", "that cannot be done with yourself";
    /// Too many lists' entries.
    ListFull: "la lista está llena; quita antes a alguien en los ajustes", "the list is full; take somebody out in the settings first";
    /// A command's words and what it does.
    HelpJoin: "/sala NOMBRE — entrar en una sala", "/join ROOM — enter a room";
    #[doc = "Help."] HelpPart: "/dejar [NOMBRE] — salir de una sala o cerrar un privado", "/part [ROOM] — leave a room, or close a private conversation";
    #[doc = "Help."] HelpNick: "/nombre NOMBRE — cambiar de nombre", "/nick NAME — change your name";
    #[doc = "Help."] HelpMsg: "/privado NOMBRE [TEXTO] — hablar con una sola persona", "/msg NAME [TEXT] — talk to one person alone";
    #[doc = "Help."] HelpIgnore: "/ignorar NOMBRE — no mostrar lo que diga", "/ignore NAME — do not show what somebody says";
    #[doc = "Help."] HelpUnignore: "/atender NOMBRE — volver a mostrarlo", "/unignore NAME — show it again";
    #[doc = "Help."] HelpMute: "/silencio — esta sala no avisa; otra vez: sí", "/mute — this room is quiet; again: it is not";
    #[doc = "Help."] HelpSearch: "/buscar PALABRAS — buscar en lo que se dijo", "/search WORDS — look for words in what was said";
    #[doc = "Help."] HelpWho: "/quien — quién está en la sala", "/who — who is in the room";
    #[doc = "Help."] HelpRooms: "/salas — qué salas hay", "/rooms — what rooms there are";
    #[doc = "Help."] HelpHelp: "/ayuda — esta ayuda", "/help — this help";
    #[doc = "Help."] HelpQuit: "/salir — cerrar la ventana", "/quit — close the window";

    #[doc = "No room for another private conversation of the person's."] TooManyPrivate: "ya hay {0} conversaciones privadas por leer o contestadas; cierra alguna", "{0} private conversations are unread or answered; close one";
    #[doc = "No room for a stranger's."] StrangersWait: "{0} te escribe en privado, pero ya hay {1} conversaciones así: cierra alguna para leer a más gente", "{0} writes to you privately, but there are {1} such conversations: close one to read more people";

    // Attention.
    /// A notification's title: who, and where.
    NotifyMention: "{0} en {1}", "{0} in {1}";
    /// A notification's title: who, privately.
    NotifyPrivate: "{0}, en privado", "{0}, privately";

    // Panes, buttons, settings.
    /// The list of rooms.
    Rooms: "Salas", "Rooms";
    /// The list of private conversations.
    Privates: "Privados", "Private";
    /// One's own name, below the list of rooms.
    OwnName: "Tu nombre y los ajustes", "Your name and the settings";
    /// The list of people.
    PeopleLabel: "Personas", "People";
    /// What is said.
    Transcript: "Conversación", "Conversation";
    /// The settings.
    Settings: "Ajustes", "Settings";
    #[doc = "A setting."] SettingRelay: "Relay (máquina:puerto)", "Relay (host:port)";
    #[doc = "A setting."] SettingName: "Nombre", "Name";
    #[doc = "A setting."] SettingRooms: "Salas (separadas por comas)", "Rooms (separated by commas)";
    #[doc = "A setting."] SettingLanguage: "Idioma", "Language";
    #[doc = "Its value."] LanguageAuto: "El del sistema", "The system's";
    #[doc = "A setting."] SettingTheme: "Aspecto", "Theme";
    #[doc = "Its value."] ThemeLight: "Claro", "Light";
    #[doc = "Its value."] ThemeDark: "Oscuro", "Dark";
    #[doc = "A setting."] SettingFont: "Letra", "Font";
    #[doc = "A setting."] SettingFontSize: "Tamaño", "Size";
    #[doc = "A setting."] SettingNotices: "Quién entra y sale", "Who comes and goes";
    #[doc = "Its value."] NoticesAll: "Todos", "Everybody";
    #[doc = "Its value."] NoticesSmart: "Solo quien ha hablado", "Only who has spoken";
    #[doc = "Its value."] NoticesNone: "Nadie", "Nobody";
    #[doc = "A setting."] SettingNotify: "Avisar en el escritorio", "Notify on the desktop";
    #[doc = "A setting."] SettingSound: "Con sonido", "With a sound";
    #[doc = "A setting."] SettingPaste: "Preguntar antes de pegar muchas líneas", "Ask before pasting many lines";
    #[doc = "A setting."] SettingKeywords: "Palabras que avisan (separadas por comas)", "Words that notify (separated by commas)";
    #[doc = "A setting."] SettingIgnored: "Personas ocultas (separadas por comas)", "People not shown (separated by commas)";
    #[doc = "A setting."] SettingMuted: "Salas en silencio (separadas por comas)", "Muted rooms (separated by commas)";
    #[doc = "No address of a relay."] SettingRelayInvalid: "«{0}» no vale como dirección: máquina:puerto, con un puerto de 1 a 65535", "“{0}” is no address: host:port, with a port from 1 to 65535";
    /// A room's name in the settings that can be none.
    SettingRoomInvalid: "«{0}» no vale como sala: hasta 32 bytes, sin espacios ni dos puntos", "“{0}” is no room: up to 32 bytes, no spaces or colons";
    /// No room is left in the settings.
    SettingRoomsNone: "falta al menos una sala", "at least one room is needed";
    /// A size in the settings that cannot be: what was written, the least, the most.
    SettingSizeInvalid: "«{0}» no vale como tamaño: de {1} a {2}", "“{0}” is no size: {1} to {2}";
    /// Rooms are left that one was writing in: which.
    LeaveDraft: "hay algo a medio escribir en {0}, y se pierde al salir; acepta otra vez para salir",
        "something is begun in {0} and would be lost on leaving; accept again to leave";
    /// Yes.
    Accept: "Aceptar", "OK";
    /// The emoji picker.
    Emoji: "Emoji", "Emoji";
    /// On a pane's button.
    Close: "Cerrar", "Close";
    #[doc = "In a menu."] Reply: "Responder", "Reply";
    /// In a menu: to the line that is answered.
    ToQuoted: "Ir a la línea citada", "Go to the quoted line";
    #[doc = "In a menu."] Copy: "Copiar", "Copy";
    #[doc = "In a menu."] TalkPrivately: "Hablar en privado con {0}", "Talk privately to {0}";
    #[doc = "In a menu."] Ignore: "No mostrar lo que diga {0}", "Do not show what {0} says";
    #[doc = "In a menu."] Unignore: "Volver a mostrar lo que diga {0}", "Show what {0} says again";
    #[doc = "In a menu."] Mute: "Silenciar", "Mute";
    #[doc = "In a menu."] Unmute: "Quitar el silencio", "Unmute";
    #[doc = "In a menu."] Leave: "Salir de la sala", "Leave the room";
    #[doc = "In a menu."] CloseConversation: "Cerrar la conversación", "Close the conversation";
    #[doc = "In a menu."] JoinRoom: "Entrar en una sala…", "Join a room…";
    /// A question.
    AskRoom: "¿En qué sala?", "Which room?";
    #[doc = "In a menu."] OpenLink: "Abrir el enlace", "Open the link";
    #[doc = "In a menu."] CopyLink: "Copiar el enlace", "Copy the link";
    /// A settings file that is damaged.
    SettingsDamaged: "los ajustes no se entienden ({1}); se han apartado en {0}", "the settings cannot be read ({1}); they were put aside as {0}";

    // Keys.
    /// Above the list of keys.
    KeysTitle: "Teclas", "Keys";
    #[doc = "A key."] KeySend: "Enter: enviar · Mayús+Enter: salto de línea", "Enter: send · Shift+Enter: line break";
    #[doc = "A key."] KeyComplete: "Tab: completar nombres y órdenes · ↑ ↓: lo que ya enviaste", "Tab: complete names and commands · ↑ ↓: what you sent";
    #[doc = "A key."] KeyConversations: "Alt+↑ ↓: otra conversación · Ctrl+U: la siguiente sin leer", "Alt+↑ ↓: another conversation · Ctrl+U: the next unread one";
    #[doc = "A key."] KeyJump: "Ctrl+J: a lo que no has leído · Fin: al final", "Ctrl+J: to what is unread · End: to the end";
    #[doc = "A key."] KeySearch: "Ctrl+F: buscar", "Ctrl+F: search";
    #[doc = "A key."] KeyEmoji: "Ctrl+E: emoji", "Ctrl+E: emoji";
    #[doc = "A key."] KeyJoin: "Ctrl+K: entrar en una sala", "Ctrl+K: join a room";
    #[doc = "A key."] KeyPeople: "Ctrl+P: personas", "Ctrl+P: people";
    #[doc = "A key."] KeySettings: "Ctrl+coma: ajustes · Ctrl + - 0: tamaño de la letra", "Ctrl+comma: settings · Ctrl + - 0: size of the font";
    #[doc = "A key."] KeyPanes: "F6: panel siguiente · F5: conectar ahora · Esc: dejarlo", "F6: next pane · F5: connect now · Esc: give up";
    #[doc = "A key."] KeyRows: "En la conversación, ↑ ↓: otra línea · Enter: abrir, reintentar o responder · Ctrl+R: responder · Ctrl+A, Ctrl+C: copiar · Menú o Mayús+F10: todo lo demás",
        "In the conversation, ↑ ↓: another line · Enter: open, retry or reply · Ctrl+R: reply · Ctrl+A, Ctrl+C: copy · Menu or Shift+F10: all else";

    // What the system says.
    #[doc = "Why a file cannot be had."] SystemNotFound: "no existe", "it does not exist";
    #[doc = "Why a file cannot be had."] SystemDenied: "no hay permiso", "it is not allowed";
    #[doc = "Why a file cannot be written."] SystemFull: "el disco está lleno", "the disk is full";
    #[doc = "Why a file cannot be written."] SystemReadOnly: "el disco no admite cambios", "the disk takes no changes";
    #[doc = "Why a file cannot be read."] SystemNoText: "no es texto", "it is no text";
    #[doc = "Why a file cannot be written."] SystemNoFolder: "una de sus carpetas no lo es", "one of its folders is none";
    #[doc = "Why an address is none."] SystemAddress: "así no se escribe una dirección", "an address is not written like that";
    #[doc = "Anything else: its number."] SystemOther: "error {0} del sistema", "error {0} of the system";
    #[doc = "Why a text cannot be read."] TooLarge: "es demasiado grande", "it is too large";
    #[doc = "Where a text cannot be read."] LineWrong: "línea {0}", "line {0}";
    #[doc = "Why a text is no session."] NoSession: "no es una sesión guardada", "it is no saved session";
    #[doc = "Why a text is no session."] SessionTooMany: "tiene más líneas sin enviar de las que caben", "it has more unsent lines than fit";

    // Files and profiles.
    /// A session file that is damaged: where it was put, and why.
    SessionDamaged: "el fichero de la sesión estaba dañado ({1}); se ha apartado en {0}", "the session file was damaged ({1}); it was put aside as {0}";
    /// A drafts file that is damaged: where it was put, and why.
    DraftsDamaged: "los borradores no se entienden ({1}); se han apartado en {0}", "the drafts cannot be read ({1}); they were put aside as {0}";
    /// A file cannot be written: which, and why.
    FileFailed: "no se puede escribir {0}: {1}", "{0} cannot be written: {1}";
    /// A folder cannot be made: which, and why.
    FolderFailed: "no se puede crear la carpeta {0}: {1}", "the folder {0} cannot be made: {1}";
    /// No name for a profile.
    ProfileInvalid: "«{0}» no vale como perfil: letras, cifras, puntos, guiones", "“{0}” is no profile: letters, digits, dots, hyphens";
    /// It is open already.
    ProfileInUse: "el perfil «{0}» ya está abierto en otra ventana; usa esa, o abre otro: --profile OTRO",
        "the profile “{0}” is open in another window already; use that one, or open another: --profile OTHER";
    /// There is no place for files.
    NoHome: "no se sabe dónde guardar los ficheros: falta la carpeta personal", "there is no place for files: the home folder is missing";
    #[doc = "There is nothing to open the window on."] NoDisplay: "no hay ninguna pantalla en la que abrir la ventana (DISPLAY está vacía): ábrela desde el escritorio", "there is no display to open the window on (DISPLAY is empty): open it from the desktop";
    #[doc = "The display is not there: which."] DisplayGone: "en la pantalla {0} (DISPLAY) no contesta nadie", "nobody answers at the display {0} (DISPLAY)";
    /// The window cannot begin: why.
    StartFailed: "la ventana no puede empezar: {0}", "the window cannot begin: {0}";
    /// A flag that there is not.
    FlagUnknown: "no existe la opción {0}", "there is no flag {0}";
    /// A flag without its value.
    FlagBare: "falta un valor detrás de {0}", "a value must follow {0}";
    /// A flag with a wrong value: which, and the value; what it can be stands behind.
    FlagInvalid: "{0} {1}: se espera ", "{0} {1}: expected ";
    /// Two words that can be chosen between.
    EitherOr: "{0} o {1}", "{0} or {1}";
    /// A word on the command line that is no flag.
    ArgumentUnknown: "sobra «{0}»", "“{0}” is not expected";
    /// Behind what is wrong with a command line.
    SeeHelp: "{0}; mira tertulia-desktop --help", "{0}; see tertulia-desktop --help";
    /// A link that no program opens.
    LinkFailed: "no se puede abrir el enlace: {0}", "the link cannot be opened: {0}";
}
