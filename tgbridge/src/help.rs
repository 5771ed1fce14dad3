//! What `--help` says, in two languages.

use crate::phrases::Language;

/// What the flags mean.
pub fn help(language: Language) -> &'static str {
    match language {
        Language::En => HELP_EN,
        Language::Es => HELP_ES,
    }
}

const HELP_EN: &str = "\
tertulia-tgbridge: joins Telegram groups and rooms of a Tertulia relay

  TERTULIA_TELEGRAM_TOKEN=... tertulia-tgbridge --chat -1001234567890
  tertulia-tgbridge check ...      what is wrong, and how to put it right

  --chat ID[/THREAD]     the group, or a topic of it; /start there tells its number
  --room NAME            its room; with --chat, repeatable   [general]
  --relay HOST:PORT      the relay                           [127.0.0.1:2000]
  --relay-tls            speak TLS with it; the port is 2001 then, and the system trusts its certificate
  --relay-fingerprint SHA256  or it is this one, as `tertulia-relay cert self-signed` tells
  --login NAME           its account, which is also the bridge's name; the password is in TERTULIA_RELAY_PASSWORD
  --password-file FILE   instead of the variable
  --config FILE          TOML: the flags' names with _ for -, and [[links]] with chat, thread, room
  --token-file FILE      instead of the variable
  --name NAME            the bridge's name in the chat       [Telegram]
  --names full|first|username  how people are called         [full]
  --api-url URL          another Bot API                     [https://api.telegram.org]
  --proxy URL            http://, https:// or socks5://      [none]
  --backlog replay|skip|max-age=TIME  what was said meanwhile  [max-age=24h]
  --in-doubt resend|skip what may have arrived already       [resend, marked]
  --pace SECONDS,PER_MINUTE  between messages; in a group    [1,20]
  --edits on|off         changed messages                    [on]
  --bots on|off          other bots of the group             [off]
  --bridges on|off       other bridges of the room           [off]
  --notices off|fold     who comes and goes in the room      [off]
  --lang es|en           sentences for people                [es]
  --state FILE           what it must remember               [tgbridge-BOT.json where the user's programs remember]
  --status FILE          how it is, as JSON                  [off]
  --metrics ADDR         the same as Prometheus text         [off]
  --poll-timeout SECONDS how long Telegram may wait          [50]
  --delete-webhook       take a webhook away first
  --takeover             go on although another program uses the token
  --version, --help

A deleted message cannot be taken back: Telegram does not tell bots. Signals: TERM and INT finish what is being sent, and end.
";

const HELP_ES: &str = "\
tertulia-tgbridge: une grupos de Telegram con salas de un relay de Tertulia

  TERTULIA_TELEGRAM_TOKEN=... tertulia-tgbridge --chat -1001234567890
  tertulia-tgbridge check ...      qué falla, y cómo arreglarlo

  --chat ID[/TEMA]       el grupo, o un tema suyo; /start dentro dice su número
  --room NOMBRE          su sala; con --chat, repetible      [general]
  --relay HOST:PUERTO    el relay                            [127.0.0.1:2000]
  --relay-tls            habla TLS con él; el puerto es entonces 2001, y el sistema confía en su certificado
  --relay-fingerprint SHA256  o es este, como dice `tertulia-relay cert self-signed`
  --login NOMBRE         su cuenta, que es también el nombre del puente; la contraseña, en TERTULIA_RELAY_PASSWORD
  --password-file FICHERO  en vez de la variable
  --config FICHERO       TOML: los nombres de estas opciones con _ por -, y [[links]] con chat, thread, room
  --token-file FICHERO   en vez de la variable
  --name NOMBRE          cómo se llama el puente en el chat  [Telegram]
  --names full|first|username  cómo se llama a las personas  [full]
  --api-url URL          otra Bot API                        [https://api.telegram.org]
  --proxy URL            http://, https:// o socks5://       [ninguno]
  --backlog replay|skip|max-age=TIEMPO  lo dicho entretanto  [max-age=24h]
  --in-doubt resend|skip lo que quizá ya llegó               [resend, con una marca]
  --pace SEGUNDOS,POR_MINUTO  entre mensajes; en un grupo    [1,20]
  --edits on|off         mensajes editados                   [on]
  --bots on|off          otros bots del grupo                [off]
  --bridges on|off       otros puentes de la sala            [off]
  --notices off|fold     quién entra y sale de la sala       [off]
  --lang es|en           frases para las personas            [es]
  --state FICHERO        lo que tiene que recordar           [tgbridge-BOT.json donde recuerdan los programas del usuario]
  --status FICHERO       cómo está, en JSON                  [apagado]
  --metrics ADDR         lo mismo como texto de Prometheus   [apagado]
  --poll-timeout SEGUNDOS  cuánto puede esperar Telegram     [50]
  --delete-webhook       quita antes un webhook
  --takeover             sigue aunque otro programa use el token
  --version, --help

Un mensaje borrado no se puede retirar: Telegram no lo cuenta a los bots. Señales: TERM e INT acaban lo que se está enviando, y terminan.
";
