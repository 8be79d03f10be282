extension MomentScript {
    static let portugueseTuned = MomentScript(
        topics: [
            ["madeira", "parafusos", "verniz", "serras", "tábuas", "cola", "lixas", "dobradiças", "pregos", "prensas"],
            ["trigo", "rega", "tratores", "sementes", "colheitas", "celeiros", "adubo", "arados", "sulcos", "feno"],
            ["velas", "âncoras", "portos", "marés", "cordas", "remos", "quilhas", "faróis", "redes", "cais"],
            ["agulhas", "lã", "botões", "tecidos", "linhas", "moldes", "linho", "bainhas", "teares", "rendas"],
        ],
        dull: [
            "e depois vimos a parte de %1 com um pouco de %2 na sala.",
            "o grupo anota %1 junto de %2 como em cada semana.",
            "então na tabela aparece %1 por baixo de %2.",
            "a equipe guarda %1 perto de %2 durante a tarde.",
            "há uma folha sobre %1 e outra folha sobre %2 no anexo.",
            "no mês passado olhamos %1 e no anterior %2.",
        ],
        idle: [
            "bom, é, deixa eu ver, um momento que procuro a página.", "tá, então, tipo, vamos seguir.",
            "obrigado a todos por virem, não esqueçam de se inscrever no canal, inscrevam-se!",
            "ah, onde é que eu estava, né, o outro slide.",
        ],
        moments: [
            [
                "Você sabia que 90 por cento das empresas fracassam porque ninguém escuta os clientes?",
                "O maior erro que você pode cometer é construir o produto antes de falar com as pessoas.",
                "Perdemos dois milhões de euros em um único ano, e vou te contar exatamente a razão.",
                "Nossos clientes nunca quiseram o produto, queriam uma resposta honesta de um ser humano.",
                "Quando finalmente escutamos, a receita triplicou em seis meses e a empresa sobreviveu.",
            ],
            [
                "Eu lembro da primeira vez que minha avó viu um celular.",
                "Ela segurou o aparelho ao contrário por dez minutos e gritava com o padre pela câmera.",
                "O padre estava bem atrás dela, com o bolo nas mãos, e respondia com paciência.",
                "Ela se virou e disse que o som era incrível. *",
            ],
            [
                "Todo mundo acha que o talento decide quem toca violino na orquestra.",
                "Mas um estudo em Berlim contou as horas de ensaio e o talento não explicava quase nada.",
                "Os melhores violinistas dormiam mais, descansavam mais e ensaiavam quatro horas por dia, nunca oito.",
                "Por isso eu digo aos meus alunos a mesma coisa: o descanso é metade do treino.",
            ],
        ])

    static let portugueseHeldOut = MomentScript(
        topics: [
            [
                "faturas", "livros", "recibos", "balanços", "impostos", "saldos", "depósitos", "pensões", "créditos",
                "taxas",
            ],
            [
                "tijolos", "argamassa", "andaimes", "telhados", "canos", "ralos", "cimento", "vigas", "azulejos",
                "janelas",
            ],
            ["esporos", "fungos", "raízes", "musgo", "casca", "pólen", "líquenes", "pétalas", "caules", "folhas"],
            [
                "bondes", "plataformas", "bilhetes", "horários", "trilhos", "cruzamentos", "vagões", "túneis",
                "tarifas", "sinais",
            ],
            ["farinha", "fermento", "fornos", "massa", "sal", "côdeas", "bandejas", "manteiga", "broas", "açúcar"],
        ],
        dull: [
            "o ponto seguinte é %1, que vem junto com %2 na lista.",
            "um colega mandou os números de %1 e outra pessoa os de %2.",
            "nesta coluna colocamos %1 e naquela colocamos %2.",
            "houve um comentário breve sobre %1 e passou-se para %2.",
            "para %1 o procedimento é o de costume, e para %2 também.",
            "aqui diz que %1 ficam guardados ao lado de %2 até a primavera.",
            "dá para ver %1 à esquerda e depois %2 à direita.",
        ],
        idle: [
            "é, um segundo, que a tela não, pronto, agora foi.", "bom, então, como eu ia dizendo, tipo, vamos lá.",
            "olá pessoal e bem-vindos de volta ao programa, ativa o sininho!",
            "ah, eu acho que, é, esta a gente pode pular.",
        ],
        moments: [
            [
                "Por que algumas pessoas se levantam de um fracasso em uma semana e outras demoram dez anos?",
                "Durante muito tempo eu achei que a resposta era o caráter, e estava completamente enganado.",
                "O que separa umas das outras é um único hábito: contam em voz alta o que aconteceu a alguém.",
                "A vergonha cresce em silêncio e morre quando alguém ouve a sua história.",
                "Então liga hoje à noite para um amigo e diz a pior coisa que te aconteceu este ano.",
            ],
            [
                "Uma noite em Lisboa eu entrei no táxi errado com a mala errada.",
                "O motorista não perguntou para onde eu ia, simplesmente me deu um trompete e um mapa.",
                "Quarenta minutos depois eu estava num palco na frente de trezentos dentistas.",
                "Eles tinham pagado por uma lenda do jazz, e eu nunca havia tocado um trompete na vida.",
                "Cumprimentei, respirei e toquei a única nota que encontrei durante onze minutos. *",
            ],
            [
                "A maioria dos médicos nunca vai te dizer isto sobre os remédios para dormir.",
                "Um comprimido não te dá sono, te dá um apagão que parece sono.",
                "No laboratório as ondas do sono profundo desaparecem em sessenta por cento.",
                "A verdade é que um quarto escuro e um travesseiro frio ganham de qualquer remédio.",
            ],
            [
                "O que você faria se tivesse só mais um ano de vida?",
                "Um cirurgião fez essa pergunta ao meu pai numa terça-feira de manhã.",
                "Ele pensou, riu e respondeu que finalmente aprenderia a nadar.",
                "Viveu mais dezenove anos, e atravessou a baía nadando em cada aniversário.",
                "A ninguém prometem tempo, mas a todos deixam começar.",
            ],
            [
                "O segredo de uma boa negociação dá vergonha de tão simples: ficar calado.",
                "Eu testei com um senhorio que pedia novecentos por um quarto sem porta.",
                "Não falei nada durante dois minutos inteiros, e ele baixou o preço quatro vezes.",
                "No fim me ofereceu a porta também. *",
            ],
        ])
}
