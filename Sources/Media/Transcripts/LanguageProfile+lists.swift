extension LanguageProfile {
    static let english = LanguageProfile(
        language: "en",
        stopWords: """
            a about above after again against all also am an and any are arent as at be because been before being \
            below between both but by can cant cannot could couldnt did didnt do does doesnt doing dont down during \
            each even few for from further get gets getting go goes going gonna got had hadnt has hasnt have havent \
            having he hed hell her here heres hers herself hes him himself his how i id if ill im in into is isnt it \
            its itself ive just kind know let lets like lot make me mean more most my myself no nor not now of off oh \
            ok okay on once one only or other our ours ourselves out over own really right said same say see she shes \
            should shouldnt so some something sort such than that thats the their theirs them themselves then there \
            theres these they theyre theyve thing things think this those through to too uh um under until up us very \
            want was wasnt way we well were werent weve what whats when where which while who whom why will with wont \
            would wouldnt yeah yes you youd youll your youre yours yourself youve
            """,
        connectives: """
            and but so because or nor then also plus therefore thus hence anyway anyways besides furthermore moreover \
            meanwhile otherwise instead which whereas although though cause cuz still yet too
            """,
        danglingPronouns: "he she it they him her them his hers its their this that these those there hes shes theyre",
        fillers: "well um uh er ah oh okay ok right yeah yes now look like hmm alright basically actually",
        questionWords: "what why how who when where which can do does did is are have has could would should",
        secondPerson: "you your youre yours yourself youll youve youd",
        contrasts: """
            never nobody nothing instead actually however surprising surprisingly wrong worst best biggest smallest \
            greatest fastest only secret truth mistake problem impossible incredible unbelievable shocking most \
            always everyone everybody first last hardest easiest
            """,
        numbers: """
            two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty sixty \
            seventy eighty ninety hundred hundreds thousand thousands million millions billion billions percent \
            half twice double triple
            """,
        hooks: [
            "the secret", "the truth", "the problem", "the biggest", "the worst", "the best", "the reason",
            "the most important", "the first thing", "the real", "the one thing", "nobody tells", "no one tells",
            "no one talks", "nobody talks", "most people", "everyone thinks", "everybody thinks", "here is why",
            "heres why", "heres the thing", "here is the thing", "heres how", "here is how", "heres what",
            "this is why", "thats why", "what if", "imagine", "did you know", "have you ever", "do you know",
            "let me tell you", "i was wrong", "i made a mistake", "my biggest", "if you want", "if you are",
            "if youre", "stop doing", "never do", "you need to", "you have to", "you wont believe",
            "it turns out", "turns out", "the day i", "i remember", "one day", "listen", "guess what",
        ],
        housekeeping: [
            "subscribe", "subscribing", "subscribed", "subscribers", "hit the bell", "notification bell", "sponsor",
            "sponsored", "sponsors", "welcome back", "welcome to", "thanks for watching", "thank you for watching",
            "thanks for listening", "see you next", "see you in", "see you soon", "in the comments", "comment below",
            "comments below", "the description", "smash that", "hit that like", "like button", "hello everyone",
            "hi everyone", "hey everyone", "hey guys", "hi guys", "good morning everyone", "bye",
        ],
        abbreviations: """
            mr mrs ms dr prof sr jr st vs etc eg ie inc ltd co corp dept est fig no vol approx gen col lt sgt rev hon \
            jan feb mar apr jun jul aug sep sept oct nov dec mt ave blvd
            """)

    static let spanish = LanguageProfile(
        language: "es",
        stopWords: """
            a aca ahi ahora al algo algun alguna algunas alguno algunos alla alli ante antes aqui asi aun aunque bien \
            bueno cada casi claro como con contra cosa cosas cual cuando cuanto de decir del desde donde dos durante e \
            el ella ellas ellos en entonces entre era eran eres es esa esas ese eso esos esta estaba estaban estamos \
            estan estar estas este esto estos estoy etc fue fueron fui gracias ha habia haber hace hacer hacia han has \
            hasta hay haya he hemos hay hizo igual iba ir la las le les lo los luego mas me mejor menos mi mis mismo \
            mucha muchas mucho muchos muy nada ni no nos nosotros nuestra nuestro o os otra otras otro otros para pero \
            poco por porque pues puede pueden puedo que quien quiero realmente sabes se sea seas ser si sido siempre \
            sin sino sobre sois solo somos son soy su sus tal tambien tan tanto te tenemos tener tengo ti tiene \
            tienen toda todas todavia todo todos tu tus un una unas uno unos usted ustedes va vale vamos van vas vaya \
            ver verdad vez voy vosotros y ya yo
            """,
        connectives: """
            y e pero entonces porque o u ni ademas tambien sino aunque asi luego pues osea mientras tampoco incluso \
            encima igualmente mas aparte total
            """,
        danglingPronouns: """
            él ella ellos ellas eso esto ese esa esos esas aquello aquel aquella lo le les su sus este esta estos \
            estas éste ésta ése ésa
            """,
        fillers: "bueno pues eh este mira oye vale claro ok okay ya hombre digamos nada a ver si no em mmm",
        questionWords: "qué por cómo cuándo dónde quién quiénes cuál cuáles cuánto cuánta cuántos cuántas acaso",
        secondPerson: "tu tus te ti contigo usted ustedes tuyo tuya vos vosotros os sabes puedes quieres tienes eres",
        contrasts: """
            nunca nadie nada jamas sino embargo sorprendente error errores secreto verdad problema imposible increible \
            peor mejor mayor menor unico unica solo siempre todos primera primero ultima ultimo grande dificil facil \
            mentira
            """,
        numbers: """
            dos tres cuatro cinco seis siete ocho nueve diez once doce quince veinte treinta cuarenta cincuenta \
            sesenta setenta ochenta noventa cien ciento cientos mil miles millon millones mitad doble triple
            """,
        hooks: [
            "el secreto", "la verdad", "el problema", "el error", "el mayor", "la mayor", "el peor", "la peor",
            "el mejor", "la mejor", "la razon", "lo mas importante", "lo primero", "lo que nadie", "nadie te",
            "nadie habla", "la mayoria", "todo el mundo", "todos creen", "por eso", "te voy a", "os voy a",
            "les voy a", "voy a contar", "y si", "que pasaria", "imagina", "imaginate", "imaginaos", "sabias que",
            "sabes que", "alguna vez", "me equivoque", "mi mayor", "si quieres", "si tienes", "si eres",
            "deja de", "nunca hagas", "tienes que", "no te vas a creer", "no vas a creer", "resulta que",
            "el dia que", "recuerdo", "un dia", "escucha", "adivina", "hay una cosa", "hay algo", "la clave",
        ],
        housekeeping: [
            "suscribete", "suscribios", "suscribanse", "suscribirte", "suscribiros", "suscriptores", "campanita",
            "patrocinador", "patrocinado", "patrocina", "bienvenido", "bienvenidos", "bienvenida", "bienvenidas",
            "hola a todos", "hola a todas", "hola amigos", "que tal amigos", "buenos dias a todos", "nos vemos",
            "hasta la proxima", "hasta pronto", "hasta luego", "en los comentarios", "la descripcion",
            "haya gustado", "dale like", "dadle like", "denle like", "dar like", "un abrazo", "gracias por ver",
            "gracias por escuchar", "eso es todo por hoy", "esto es todo por hoy",
        ],
        abbreviations: """
            sr sra srta srs dr dra prof profa ud uds vd etc ej pag pags num nro no aprox av avda gral lic ing arq tel \
            vol cap art fig ee uu st ma
            """)

    static let portuguese = LanguageProfile(
        language: "pt",
        stopWords: """
            a agora ai ainda algo algum alguma algumas alguns ali ao aos aquela aquele aquilo as assim ate bem bom \
            cada coisa coisas com como contra da dai dar das de dela dele deles depois desde dessa desse desta deste \
            deu disso disto do dois dos e ela elas ele eles em entao entre era eram essa essas esse esses esta estamos \
            estao estar estava estavam este estes estou eu falar faz fazer fica foi foram gente ha isso isto ja la \
            lhe lhes mais mas me mesma mesmo meu meus minha minhas muita muitas muito muitos na nada nao nas nem \
            nenhum nenhuma ne nessa nesse nesta neste no nos nossa nosso num numa o obrigado onde os ou outra outras \
            outro outros para pela pelas pelo pelos pode podem por porque pouco pra pro qual quando quanto que quem \
            quer saber se seja sem sempre ser seu seus sim sobre sou sua suas ta tal tambem tao te tem temos tenho ter \
            teu tinha toda todas todo todos tu tudo um uma umas uns vai vamos vao ver verdade vez voce voces vou
            """,
        connectives: """
            e mas entao porque ou nem alem tambem assim logo pois portanto embora enquanto tampouco inclusive ai dai \
            porem contudo
            """,
        danglingPronouns: """
            ele ela eles elas isso isto aquilo esse essa esses essas este esta estes estas aquele aquela lhe lhes dele \
            dela deles delas seu sua
            """,
        fillers: "bom bem entao olha ok okay ne tipo ah eh enfim pois ta certo gente cara",
        questionWords: "como quando onde quem qual quais quanto quanta quantos quantas será",
        secondPerson: "voce voces te teu teus tua tuas tu contigo ti",
        contrasts: """
            nunca ninguem nada jamais surpreendente erro erros segredo verdade problema impossivel incrivel pior \
            melhor maior menor unico unica apenas sempre todos primeira primeiro ultima ultimo dificil facil mentira \
            contrario
            """,
        numbers: """
            dois duas tres quatro cinco seis sete oito nove dez onze doze quinze vinte trinta quarenta cinquenta \
            sessenta setenta oitenta noventa cem cento centenas mil milhares milhao milhoes bilhao bilhoes metade \
            dobro triplo
            """,
        hooks: [
            "o segredo", "a verdade", "o problema", "o erro", "o maior", "a maior", "o pior", "a pior", "o melhor",
            "a melhor", "a razao", "o mais importante", "a primeira coisa", "o que ninguem", "ninguem te",
            "ninguem fala", "a maioria", "todo mundo", "por isso", "vou te", "vou contar", "e se", "imagina",
            "imagine", "voce sabia", "voce sabe", "voce ja", "alguma vez", "eu errei", "meu maior",
            "se voce quer", "se voce", "pare de", "nunca faca", "voce precisa", "voce tem que",
            "voce nao vai acreditar", "acontece que", "o dia em que", "eu lembro", "um dia", "escuta", "adivinha",
            "tem uma coisa", "a chave",
        ],
        housekeeping: [
            "inscreva", "inscrevam", "inscritos", "sininho", "patrocinador", "patrocinado", "patrocina", "bem vindo",
            "bem vindos", "bemvindos", "ola pessoal", "oi pessoal", "fala galera", "fala pessoal", "bom dia a todos",
            "ate a proxima", "ate logo", "ate mais", "nos comentarios", "na descricao", "deixa o like", "deixe o like",
            "seu like", "obrigado por assistir", "tenham gostado", "e isso por hoje", "um abraco",
        ],
        abbreviations: """
            sr sra srta srs dr dra prof profa etc ex pag pags num aprox av gal eng tel vol cap art fig ltda st no vs
            """)
}
