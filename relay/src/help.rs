//! What `--help` says, in two languages.

use crate::phrases::Language;

/// What the flags mean: those that this build has.
pub fn help(language: Language) -> String {
    match language {
        Language::En => HELP_EN,
        Language::Es => HELP_ES,
    }
    .concat()
}

const HELP_EN: &[&str] = &[
    "\
tertulia-relay: a chat relay. Try it: nc localhost 2000

  --listen ADDR          where to listen, repeatable   [0.0.0.0:2000]
  --flood BURST,RATE     lines at once, then a second  [20,5]
  --max-clients N        connections at once           [what the descriptors allow]
  --max-per-ip N         connections of one address    [0]
  --trusted CIDR,...     free of flood, max-per-ip and delays of log-ins  [none]
  --room-log-bytes N     memory of a room's lines      [4194304]
  --lang es|en           sentences for people          [es]
",
    TLS_EN,
    PROXY_EN,
    CONFIG_EN,
    HISTORY_EN,
    METRICS_EN,
    "  --version, --help\n",
    TOOLS_EN,
    CERTIFICATE_EN,
    CHECK_EN,
    "
0 is no limit. Signals: TERM and INT say goodbye and end",
    HANGUP_EN,
    ". Protocol: PROTOCOL.md.
",
];

const HISTORY_EN: &str = if cfg!(feature = "history") {
    "  --history FILE|none    where what is said is kept    [history.db where the user's programs remember]
  --history-max-age TIME older lines go, as 90d, 12h   [90d]
  --history-max-rows N   the oldest go beyond so many  [1000000]
  --history-repair       move a damaged file aside
  --durability HOW       acknowledged lines outlive: none, commit the relay, sync a power cut  [commit]
  --access open|registered  who may chat: anybody, or only who logs in  [open]
  --allow-plaintext-login   take passwords that others may read on their way
  --argon2-memory KIB    what a guess of a password costs: memory  [65536]
  --argon2-passes N      and passes over it            [3]
"
} else {
    ""
};

const METRICS_EN: &str = if cfg!(feature = "metrics") {
    "  --metrics ADDR         Prometheus text over HTTP     [off]
"
} else {
    ""
};

const TOOLS_EN: &str = if cfg!(feature = "history") {
    "
  history export|import|prune|check                    lines out, lines in, fewer lines, is it whole
                         with --history FILE and the --history-max flags; a relay may run meanwhile
  account add NAME [--role user|bridge|operator] | list | remove NAME | passwd NAME | role NAME ROLE
                         with --history FILE; passwords from the terminal, or standard input
"
} else {
    ""
};

const HELP_ES: &[&str] = &[
    "\
tertulia-relay: un relay de chat. Pruébalo: nc localhost 2000

  --listen ADDR          dónde escuchar, repetible       [0.0.0.0:2000]
  --flood BURST,RATE     líneas de golpe, y por segundo  [20,5]
  --max-clients N        conexiones a la vez             [lo que permitan los descriptores]
  --max-per-ip N         conexiones de una dirección     [0]
  --trusted CIDR,...     sin flood, max-per-ip ni demoras al entrar  [ninguna]
  --room-log-bytes N     memoria de las líneas de una sala [4194304]
  --lang es|en           frases para las personas        [es]
",
    TLS_ES,
    PROXY_ES,
    CONFIG_ES,
    HISTORY_ES,
    METRICS_ES,
    "  --version, --help\n",
    TOOLS_ES,
    CERTIFICATE_ES,
    CHECK_ES,
    "
0 es sin límite. Señales: TERM e INT se despiden y terminan",
    HANGUP_ES,
    ". Protocolo: PROTOCOL.md.
",
];

const HISTORY_ES: &str = if cfg!(feature = "history") {
    "  --history FILE|none    dónde se guarda lo que se dice  [history.db donde recuerdan los programas del usuario]
  --history-max-age TIME lo más viejo se borra: 90d, 12h [90d]
  --history-max-rows N   y lo que pase de tantas líneas  [1000000]
  --history-repair       aparta un fichero dañado
  --durability HOW       lo confirmado aguanta: none nada, commit que muera el relay, sync un corte de luz  [commit]
  --access open|registered  quién chatea: cualquiera, o solo quien entra con su cuenta  [open]
  --allow-plaintext-login   acepta claves que otros pueden leer en el camino
  --argon2-memory KIB    lo que cuesta adivinar una clave: memoria  [65536]
  --argon2-passes N      y pasadas por ella              [3]
"
} else {
    ""
};

const METRICS_ES: &str = if cfg!(feature = "metrics") {
    "  --metrics ADDR         texto de Prometheus por HTTP    [apagado]
"
} else {
    ""
};

const TOOLS_ES: &str = if cfg!(feature = "history") {
    "
  history export|import|prune|check                      sacar líneas, meterlas, quitar las viejas, comprobar
                         con --history FILE y las --history-max; el relay puede seguir en marcha
  account add NAME [--role user|bridge|operator] | list | remove NAME | passwd NAME | role NAME ROLE
                         con --history FILE; las claves, por el terminal o la entrada estándar
"
} else {
    ""
};

const TLS_EN: &str = if cfg!(feature = "tls") {
    "  --tls-cert FILE        certificate for TLS, in PEM, and
  --tls-key FILE         its key                       [no TLS]
  --tls-listen ADDR      where TLS is spoken, repeatable [0.0.0.0:2001]
"
} else {
    ""
};

const TLS_ES: &str = if cfg!(feature = "tls") {
    "  --tls-cert FILE        certificado para TLS, en PEM, y
  --tls-key FILE         su clave                        [sin TLS]
  --tls-listen ADDR      dónde se habla TLS, repetible   [0.0.0.0:2001]
"
} else {
    ""
};

const CERTIFICATE_EN: &str = if cfg!(feature = "tls") {
    "  cert self-signed [--out DIR] [--host NAME]...        a certificate to start with, and its fingerprint
"
} else {
    ""
};

const CERTIFICATE_ES: &str = if cfg!(feature = "tls") {
    "  cert self-signed [--out DIR] [--host NAME]...          un certificado para empezar, y su huella
"
} else {
    ""
};

const CONFIG_EN: &str = if cfg!(feature = "config") {
    "  --config FILE          these flags in TOML, as max-per-ip = 20; or in the environment: TERTULIA_RELAY_MAX_PER_IP
"
} else {
    ""
};

const CONFIG_ES: &str = if cfg!(feature = "config") {
    "  --config FILE          estas opciones en TOML, así: max-per-ip = 20; o en el entorno: TERTULIA_RELAY_MAX_PER_IP
"
} else {
    ""
};

const CHECK_EN: &str = if cfg!(feature = "config") {
    "  check                  with the flags of a relay: could it run like this?
"
} else {
    ""
};

const CHECK_ES: &str = if cfg!(feature = "config") {
    "  check                  con las opciones de un relay: ¿podría funcionar así?
"
} else {
    ""
};

const PROXY_EN: &str = if cfg!(feature = "proxy") {
    "  --proxy-listen ADDR    where proxies bring clients (PROXY protocol), repeatable, and
  --proxy-from CIDR,...  which proxies                 [none]
  --max-per-ip-exempt CIDR,...  free of max-per-ip alone [none]
"
} else {
    ""
};

const PROXY_ES: &str = if cfg!(feature = "proxy") {
    "  --proxy-listen ADDR    dónde traen clientes los proxies (protocolo PROXY), repetible, y
  --proxy-from CIDR,...  qué proxies                     [ninguno]
  --max-per-ip-exempt CIDR,...  sin max-per-ip, pero con flood [ninguna]
"
} else {
    ""
};

const HAS_RELOAD: bool = cfg!(feature = "config") || cfg!(feature = "tls");
const HANGUP_EN: &str = if HAS_RELOAD { ";\nHUP reads settings and certificate anew" } else { "" };
const HANGUP_ES: &str = if HAS_RELOAD { ";\nHUP vuelve a leer ajustes y certificado" } else { "" };
