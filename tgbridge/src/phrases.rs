//! The sentences for people, in Spanish and English. Knows nothing of when they are said.

/// The language of the bridge's sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Spanish.
    #[default]
    Es,
    /// English.
    En,
}

/// A sentence in both languages; whoever knows the reader shows one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    spanish: String,
    english: String,
}

impl Told {
    /// The same in both.
    pub fn new(spanish: impl Into<String>, english: impl Into<String>) -> Self {
        Self { spanish: spanish.into(), english: english.into() }
    }

    /// Words that are not this program's.
    pub fn same(words: impl Into<String>) -> Self {
        let english = words.into();
        Self { spanish: english.clone(), english }
    }

    /// With its words in each language changed.
    pub fn changed(self, change: impl Fn(String) -> String) -> Self {
        Self { spanish: change(self.spanish), english: change(self.english) }
    }

    /// For people.
    pub fn shown(&self, language: Language) -> &str {
        match language {
            Language::Es => &self.spanish,
            Language::En => &self.english,
        }
    }
}

macro_rules! phrases {
    ($($(#[$doc:meta])* $name:ident: $es:literal, $en:literal;)*) => {
        /// A sentence, or a piece of one. `{}` stands for what is put in, in this order.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Phrase { $($(#[$doc])* $name,)* }

        impl Phrase {
            /// Its words.
            pub fn in_language(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Self::$name, Language::Es) => $es, (Self::$name, Language::En) => $en,)*
                }
            }

            #[cfg(test)]
            const ALL: &[Self] = &[$(Self::$name,)*];
        }
    };
}

impl Phrase {
    /// Its words with the values put in.
    pub fn with(self, language: Language, values: &[&str]) -> String {
        let mut pieces = self.in_language(language).split("{}");
        let mut text = pieces.next().unwrap_or_default().to_owned();
        let mut values = values.iter();
        for piece in pieces {
            text.push_str(values.next().unwrap_or(&""));
            text.push_str(piece);
        }
        text
    }
}

phrases! {
    /// A picture.
    Photo: "foto", "photo";
    /// A sticker.
    Sticker: "pegatina", "sticker";
    /// A file.
    File: "archivo", "file";
    /// A voice message.
    Voice: "nota de voz", "voice message";
    /// Music.
    Audio: "audio", "audio";
    /// A film.
    Video: "vídeo", "video";
    /// A round film.
    VideoNote: "videomensaje", "video message";
    /// A short silent film.
    Animation: "animación", "animation";
    /// A place.
    Location: "ubicación", "location";
    /// A place with a name.
    Venue: "lugar", "venue";
    /// A question with answers.
    Poll: "encuesta", "poll";
    /// Somebody's telephone number.
    Contact: "contacto", "contact";
    /// A die, or another game of chance.
    Dice: "dado", "dice";
    /// A game.
    Game: "juego", "game";
    /// Something to pay.
    Invoice: "factura", "invoice";
    /// A story.
    Story: "historia", "story";
    /// Media that cost something.
    PaidMedia: "contenido de pago", "paid media";
    /// A list of things to do.
    Checklist: "lista de tareas", "checklist";
    /// Somebody came.
    MemberJoined: "{} ha entrado en el grupo", "{} has joined the group";
    /// Several came.
    MembersJoined: "{} han entrado en el grupo", "{} have joined the group";
    /// Somebody went.
    MemberLeft: "{} ha salido del grupo", "{} has left the group";
    /// The group has another title.
    NewTitle: "el grupo se llama ahora «{}»", "the group is now called “{}”";
    /// The group has another picture.
    NewPhoto: "el grupo tiene otra foto", "the group has a new photo";
    /// The group has no picture any more.
    PhotoDeleted: "el grupo ya no tiene foto", "the group has no photo any more";
    /// A message was pinned.
    Pinned: "mensaje fijado: {}", "pinned message: {}";
    /// The group was made.
    GroupCreated: "se ha creado el grupo", "the group was created";
    /// It is a supergroup now.
    Migrated: "el grupo es ahora un supergrupo", "the group is a supergroup now";
    /// A topic was opened.
    TopicCreated: "tema nuevo: {}", "new topic: {}";
    /// A topic was closed.
    TopicClosed: "el tema se ha cerrado", "the topic was closed";
    /// A topic was opened again.
    TopicReopened: "el tema se ha vuelto a abrir", "the topic was opened again";
    /// A topic was changed.
    TopicEdited: "el tema ha cambiado", "the topic was changed";
    /// A call of the group.
    CallStarted: "ha empezado una llamada de grupo", "a group call has started";
    /// It is over.
    CallEnded: "ha terminado la llamada de grupo", "the group call is over";
    /// Somebody was asked to it.
    CallScheduled: "hay una llamada de grupo prevista", "a group call is scheduled";
    /// Nothing that this program knows.
    Unknown: "mensaje de un tipo que este puente no conoce: {}", "a message of a kind that this bridge does not know: {}";
    /// Nothing at all.
    Empty: "mensaje vacío", "empty message";
    /// It was changed afterwards.
    Edited: "(editado)", "(edited)";
    /// It was said elsewhere.
    Forwarded: "(reenviado de {})", "(forwarded from {})";
    /// It may have been sent already.
    InDoubt: "(quizá repetido)", "(perhaps repeated)";
    /// One line was too old.
    SkippedOne: "1 mensaje {} no se reenvió", "1 message {} was not forwarded";
    /// Lines were too old.
    SkippedMany: "{} mensajes {} no se reenviaron", "{} messages {} were not forwarded";
    /// How old.
    OlderThan: "de hace más de {}", "older than {}";
    /// From when.
    WhileAway: "de mientras el puente no estaba", "from while the bridge was away";
    /// Lines that the relay does not have any more.
    Gap: "el relay ya no guarda una parte de lo que se dijo; esas líneas no llegan aquí", "the relay no longer keeps a part of what was said; those lines do not arrive here";
    /// Telegram takes it in no form.
    Untakable: "Telegram no acepta una línea de {}: {}", "Telegram does not accept a line of {}: {}";
    /// Nor does the relay.
    Unsayable: "el relay no acepta un mensaje de {}: {}", "the relay does not accept a message of {}: {}";
    /// Why something was not taken.
    TooLong: "es demasiado largo", "it is too long";
    /// The same.
    HoldsPassword: "parece una orden con una contraseña", "it looks like an order with a password";
    /// Who is in the room.
    WhoIsThere: "en la sala {}: {}", "in the room {}: {}";
    /// Nobody is.
    NobodyIsThere: "en la sala {} no hay nadie", "there is nobody in the room {}";
    /// It cannot be asked.
    RelayAway: "ahora no hay conexión con el relay", "there is no connection to the relay now";
    /// What the bot does, in a chat that is joined.
    StartLinked: "Soy un puente: lo que se escribe aquí se lee en la sala {} del chat, y al revés. /quien dice quién está en la sala.",
        "I am a bridge: what is written here is read in the room {} of the chat, and the other way round. /quien tells who is in the room.";
    /// What it does, elsewhere.
    StartElsewhere: "Soy un puente entre grupos de Telegram y las salas de un chat. Este chat es el {} y no está unido a ninguna sala.",
        "I am a bridge between Telegram groups and the rooms of a chat. This chat is {} and is joined to no room.";
    /// People came and went, in a minute.
    CameAndWent: "entran: {}; salen: {}", "came: {}; went: {}";
    /// People came.
    Came: "entran: {}", "came: {}";
    /// People went.
    Went: "salen: {}", "went: {}";
    /// Telegram has refused the token at the start.
    Unauthorized: "Telegram no conoce este token: pide a @BotFather el de tu bot con /token, y arranca con él",
        "Telegram does not know this token: ask @BotFather for your bot's with /token, and start with that";
    /// In answer to something of which nothing is known.
    Reply: "(respuesta)", "(reply)";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_have_the_same_places_for_values() {
        for phrase in Phrase::ALL {
            let places = |language| phrase.in_language(language).matches("{}").count();
            assert_eq!(places(Language::Es), places(Language::En), "{phrase:?}");
        }
    }

    #[test]
    fn values_are_put_in_in_order() {
        let text = Phrase::WhoIsThere.with(Language::Es, &["general", "Ana, Luis"]);
        assert_eq!(text, "en la sala general: Ana, Luis");
    }
}
