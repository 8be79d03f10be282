extension MomentScript {
    static let spanishTuned = MomentScript(
        topics: [
            ["madera", "tornillos", "barniz", "sierras", "tablones", "cola", "lijas", "bisagras", "clavos", "prensas"],
            ["trigo", "riego", "tractores", "semillas", "cosechas", "graneros", "abono", "arados", "surcos", "heno"],
            ["velas", "anclas", "puertos", "mareas", "cuerdas", "remos", "quillas", "faros", "redes", "muelles"],
            ["agujas", "lana", "botones", "telas", "hilos", "patrones", "lino", "dobladillos", "telares", "encajes"],
        ],
        dull: [
            "y luego vimos la parte de %1 con un poco de %2 en la sala.",
            "el grupo anota %1 junto a %2 como cada semana.",
            "pues en la tabla aparece %1 debajo de %2.",
            "el equipo guarda %1 cerca de %2 por la tarde.",
            "hay una hoja sobre %1 y otra hoja sobre %2 en el anexo.",
            "el mes pasado miramos %1 y el anterior %2.",
        ],
        idle: [
            "bueno, este, a ver, un momento que busco la página.", "vale, pues, o sea, seguimos con lo siguiente.",
            "gracias a todos por venir, ¡no olviden suscribirse al canal!", "eh, ¿por dónde iba?, sí, la otra lámina.",
        ],
        moments: [
            [
                "¿Sabías que el 90 por ciento de las empresas fracasa porque nadie escucha a sus clientes?",
                "El mayor error que puedes cometer es construir el producto antes de hablar con la gente.",
                "Perdimos dos millones de euros en un solo año, y te voy a contar exactamente la razón.",
                "Nuestros clientes nunca quisieron el producto, querían una respuesta honesta de un ser humano.",
                "Cuando por fin escuchamos, los ingresos se triplicaron en seis meses y la empresa sobrevivió.",
            ],
            [
                "Recuerdo la primera vez que mi abuela vio un teléfono móvil.",
                "Lo sostuvo al revés durante diez minutos y le gritaba al cura por la cámara.",
                "El cura estaba justo detrás, con el pastel en las manos, y le contestaba con paciencia.",
                "Ella se dio la vuelta y dijo que el sonido era increíble. *",
            ],
            [
                "Todo el mundo cree que el talento decide quién toca el violín en la orquesta.",
                "Pero un estudio en Berlín contó las horas de ensayo y el talento no explicaba casi nada.",
                "Los mejores violinistas dormían más, descansaban más y ensayaban cuatro horas al día, nunca ocho.",
                "Por eso les digo a mis alumnos lo mismo: el descanso es la mitad del entrenamiento.",
            ],
        ])

    static let spanishHeldOut = MomentScript(
        topics: [
            [
                "facturas", "libros", "recibos", "balances", "impuestos", "saldos", "depósitos", "pensiones",
                "créditos", "cuotas",
            ],
            [
                "ladrillos", "mortero", "andamios", "tejados", "tuberías", "desagües", "cemento", "vigas", "azulejos",
                "ventanas",
            ],
            ["esporas", "hongos", "raíces", "musgo", "corteza", "polen", "líquenes", "pétalos", "tallos", "hojas"],
            [
                "tranvías", "andenes", "billetes", "horarios", "raíles", "cruces", "vagones", "túneles", "tarifas",
                "señales",
            ],
            [
                "harina", "levadura", "hornos", "masa", "sal", "cortezas", "bandejas", "mantequilla", "hogazas",
                "azúcar",
            ],
        ],
        dull: [
            "el punto siguiente es %1, que viene junto con %2 en la lista.",
            "un compañero mandó las cifras de %1 y otra persona las de %2.",
            "en esta columna ponemos %1 y en aquella ponemos %2.",
            "hubo un comentario breve sobre %1 y se pasó a %2.",
            "para %1 el trámite es el de costumbre, y para %2 también.",
            "aquí dice que %1 se guardan al lado de %2 hasta la primavera.",
            "se ve %1 a la izquierda y después %2 a la derecha.",
        ],
        idle: [
            "eh, un segundo, que la pantalla no, ya, ya está.", "bueno, pues, como iba diciendo, o sea, seguimos.",
            "hola a todos y bienvenidos de nuevo al programa, ¡dale a la campanita!",
            "este, yo creo que, eh, esta la podemos saltar.",
        ],
        moments: [
            [
                "¿Por qué unas personas se levantan de un fracaso en una semana y otras tardan diez años?",
                "Durante mucho tiempo creí que la respuesta era el carácter, y estaba completamente equivocado.",
                "Lo que las separa es una sola costumbre: cuentan en voz alta lo que pasó a otra persona.",
                "La vergüenza crece en silencio y se muere cuando alguien escucha tu historia.",
                "Así que llama esta noche a un amigo y dile lo peor que te ha pasado este año.",
            ],
            [
                "Una noche en Lisboa me subí al taxi equivocado con la maleta equivocada.",
                "El conductor no preguntó adónde iba, simplemente me dio una trompeta y un mapa.",
                "Cuarenta minutos después estaba en un escenario delante de trescientos dentistas.",
                "Habían pagado por una leyenda del jazz, y yo no había tocado una trompeta en mi vida.",
                "Saludé, respiré y toqué la única nota que encontré durante once minutos. *",
            ],
            [
                "La mayoría de los médicos nunca te va a decir esto sobre las pastillas para dormir.",
                "Una pastilla no te da sueño, te da un apagón que se parece al sueño.",
                "En el laboratorio las ondas del sueño profundo desaparecen en un sesenta por ciento.",
                "La verdad es que un cuarto oscuro y una almohada fría ganan a cualquier fármaco.",
            ],
            [
                "¿Qué harías si te quedara un solo año de vida?",
                "A mi padre le hizo esa pregunta un cirujano un martes por la mañana.",
                "Lo pensó, se rió y contestó que por fin aprendería a nadar.",
                "Vivió diecinueve años más, y cruzó la bahía nadando en cada cumpleaños.",
                "A nadie le prometen tiempo, pero a todos nos dejan empezar.",
            ],
            [
                "El secreto de una buena negociación da vergüenza de lo simple que es: callarse.",
                "Lo probé con un casero que pedía novecientos por un cuarto sin puerta.",
                "No dije nada durante dos minutos enteros, y él bajó el precio cuatro veces.",
                "Al final me ofreció también la puerta. *",
            ],
        ])
}
