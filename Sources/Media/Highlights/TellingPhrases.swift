/// What shows that something is told rather than listed, by language. All words are folded (see `SpokenText.fold`).
///
/// Source for the personal words: R. Flesch, "A New Readability Yardstick" (Journal of Applied Psychology, 1948), whose
/// measure of human interest counts words about people and sentences that speak to somebody.
struct TellingPhrases: Sendable {
    /// "The first time", "la primera vez": a story begins.
    let stories: PhraseBook
    /// "But in fact", "todo el mundo cree": what was believed is turned round.
    let turns: PhraseBook
    /// Persons, and words for them. Not "él", which without its accent is an article.
    let personal: Set<String>
    /// First words of an answer, which is nothing without its question.
    let answers: Set<String>
    /// Thinking aloud.
    let drawls: Set<String>

    /// For an ISO 639-1 code; without lists for other languages.
    static func named(_ language: String) -> TellingPhrases {
        switch language.prefix(2).lowercased() {
        case "en": english
        case "es": spanish
        case "pt": portuguese
        default: TellingPhrases(stories: [], turns: [], personal: "", answers: "", drawls: "")
        }
    }

    private init(stories: [String], turns: [String], personal: String, answers: String, drawls: String) {
        self.stories = PhraseBook(stories)
        self.turns = PhraseBook(turns)
        self.personal = Self.list(personal)
        self.answers = Self.list(answers)
        self.drawls = Self.list(drawls)
    }

    private static func list(_ words: String) -> Set<String> { Set(words.split(separator: " ").map(String.init)) }

    private static let english = TellingPhrases(
        stories: [
            "the first time", "the last time", "the day", "one day", "one night", "one morning", "years ago",
            "i remember", "when i was", "i was", "i had", "once upon", "there was a", "suddenly", "until",
            "i will never forget", "the secret", "the story", "in the end", "years later", "minutes later",
            "weeks later", "that night", "finally",
        ],
        turns: [
            "everyone thinks", "everybody thinks", "most people", "people think", "they say", "but", "in fact",
            "in reality", "actually", "the truth", "it turns out", "turns out", "instead", "not because",
            "the opposite",
            "on the contrary", "that is why", "thats why", "wrong", "never",
        ],
        personal: """
            i me my mine myself you your yours yourself he him his she her hers we us our they them someone \
            somebody nobody everyone everybody people person man woman men women child children kid kids boy \
            girl friend friends father mother dad mom brother sister son daughter wife husband grandmother \
            grandfather family
            """,
        answers: "yes yeah yep no nope exactly absolutely definitely sure correct indeed",
        drawls: "um uh er erm hmm mm mhm okay basically")

    private static let spanish = TellingPhrases(
        stories: [
            "la primera vez", "la ultima vez", "el dia", "un dia", "una noche", "una manana", "una tarde", "hace anos",
            "recuerdo", "me acuerdo", "cuando era", "cuando yo", "cuando tenia", "yo tenia", "habia una vez",
            "de repente", "de pronto", "hasta que", "nunca voy a olvidar", "nunca olvidare", "el secreto",
            "la historia", "al final", "anos despues", "minutos despues", "dias despues", "aquella noche", "esa noche",
            "por fin", "finalmente",
        ],
        turns: [
            "todo el mundo cree", "todo el mundo piensa", "todos creen", "la mayoria", "la gente cree", "dicen que",
            "pero", "sino", "en realidad", "de hecho", "la verdad", "resulta que", "al contrario", "lo contrario",
            "en cambio", "por eso", "equivocado", "equivocada", "nunca",
        ],
        personal: """
            yo me mi mis conmigo mio tu te ti tus contigo usted ustedes ella ellos ellas le les nosotros \
            nos nuestro nuestra alguien nadie gente persona personas hombre mujer hombres mujeres nino nina \
            ninos hijo hija hijos amigo amiga amigos padre madre papa mama hermano hermana esposa esposo marido \
            abuela abuelo familia
            """,
        answers: "si no claro exacto exactamente efectivamente correcto obvio totalmente vale",
        drawls: "eh em mmm bueno pues osea digamos vale")

    private static let portuguese = TellingPhrases(
        stories: [
            "a primeira vez", "da primeira vez", "a ultima vez", "o dia", "um dia", "uma noite", "uma manha",
            "uma tarde", "anos atras", "ha anos", "eu lembro", "lembro", "quando eu era", "quando eu", "eu tinha",
            "eu estava", "era uma vez", "de repente", "ate que", "nunca vou esquecer", "o segredo", "a historia",
            "no fim", "no final", "anos depois", "minutos depois", "dias depois", "naquela noite", "finalmente",
        ],
        turns: [
            "todo mundo acha", "todo mundo pensa", "todos acham", "a maioria", "as pessoas acham", "dizem que", "mas",
            "na verdade", "na realidade", "a verdade", "acontece que", "ao contrario", "o contrario", "em vez",
            "por isso", "errado", "errada", "enganado", "nunca",
        ],
        personal: """
            eu me mim meu minha meus minhas comigo voce voces te ti teu tua seu sua ele ela eles elas lhe nos \
            nosso nossa alguem ninguem gente pessoa pessoas homem mulher homens mulheres menino menina crianca \
            criancas filho filha filhos amigo amiga amigos pai mae irmao irma esposa esposo marido avo familia
            """,
        answers: "sim nao claro exato exatamente certo isso pois",
        drawls: "ah hum eh ne tipo bom ta")
}
