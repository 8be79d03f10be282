/// A paragraph each from books that belong to everybody, shortened or retold here and there, and a few written for the
/// purpose: prose, unlike the talks that a generator makes.
enum TopicTexts {
    static func paragraphs(_ language: String) -> [String] {
        switch language {
        case "es": spanish
        case "pt": portuguese
        default: english
        }
    }

    private static let english = [
        // C. Darwin, On the Origin of Species (1859)
        """
        When we look to the individuals of the same variety of our older cultivated plants and animals, one of the \
        first points which strikes us is that they generally differ much more from each other than do the individuals \
        of any one species in a state of nature. When we reflect on the vast diversity of the plants and animals which \
        have been cultivated, we are driven to conclude that this great variability is due to our domestic productions \
        having been raised under conditions of life not so uniform. It seems clear that organic beings must be exposed \
        during several generations to new conditions of life to cause any great amount of variation. No case is on \
        record of a variable organism ceasing to vary under cultivation. Our oldest cultivated plants, such as wheat, \
        still yield new varieties. Our oldest domesticated animals are still capable of rapid improvement.
        """,
        // H. Melville, Moby-Dick (1851)
        """
        Call me Ishmael. Some years ago, having little or no money in my purse, and nothing particular to interest me \
        on shore, I thought I would sail about a little and see the watery part of the world. Whenever it is a damp, \
        drizzly November in my soul, I account it high time to get to sea as soon as I can. There is nothing \
        surprising in this. If they but knew it, almost all men in their degree cherish very nearly the same feelings \
        towards the ocean with me. Look at the crowds of water-gazers there, posted like silent sentinels, thousands \
        upon thousands of mortal men fixed in ocean reveries. Some leaning against the spiles, some seated upon the \
        pier-heads, some looking over the bulwarks of ships from China. Strange! Nothing will content them but the \
        extremest limit of the land; they must get just as nigh the water as they possibly can.
        """,
        // M. Faraday, The Chemical History of a Candle (1861)
        """
        There is no better door by which you can enter into the study of natural philosophy than by considering the \
        physical phenomena of a candle. Here are a couple of candles, commonly called dips. They are made of lengths \
        of cotton cut off, hung up by a loop, dipped into melted tallow, taken out again and cooled, then dipped again \
        until there is an accumulation of tallow round the cotton. The heat that is in the flame of the candle melts \
        the wax. The cotton draws the melted wax up to the flame by capillary attraction. The air rises with the \
        heat and keeps the sides of the candle cool, so that a cup is formed for the wax. You see how the flame is \
        drawn upward by the current of hot air.
        """,
        // A. Smith, The Wealth of Nations (1776)
        """
        The greatest improvement in the productive powers of labour seems to have been the effects of the division of \
        labour. To take an example from the trade of the pin-maker, a workman not educated to this business could \
        scarce make one pin in a day, and certainly could not make twenty. One man draws out the wire, another \
        straights it, a third cuts it, a fourth points it, a fifth grinds it at the top for receiving the head. The \
        business of making a pin is divided into about eighteen distinct operations. Ten persons could make among \
        them upwards of forty-eight thousand pins in a day. In every other art and manufacture the division of labour \
        occasions a proportionable increase of the productive powers of labour. Each workman has a great quantity of \
        his own work to dispose of.
        """,
        // H. D. Thoreau, Walden (1854)
        """
        I went to the woods because I wished to live deliberately, to front only the essential facts of life. Near \
        the end of March I borrowed an axe and went down to the woods by Walden Pond, nearest to where I intended to \
        build my house, and began to cut down some tall white pines for timber. The ice in the pond was not yet \
        dissolved, though there were some open spaces. I hewed the main timbers six inches square, most of the studs \
        on two sides only, leaving the rest of the bark on. By the middle of April my house was framed and ready for \
        the raising. I began to occupy my house on the fourth of July, as soon as it was boarded and roofed. I built \
        the chimney after my hoeing in the fall, before a fire became necessary for warmth.
        """,
        // J. Austen, Pride and Prejudice (1813)
        """
        It is a truth universally acknowledged, that a single man in possession of a good fortune, must be in want of \
        a wife. My dear Mr. Bennet, said his lady to him one day, have you heard that Netherfield Park is let at last? \
        Mr. Bennet replied that he had not. But it is, returned she, for Mrs. Long has just been here, and she told \
        me all about it. Do you not want to know who has taken it, cried his wife impatiently. Netherfield is taken by \
        a young man of large fortune from the north of England. A single man of large fortune, what a fine thing for \
        our girls! You must know that I am thinking of his marrying one of them. You must visit him as soon as he \
        comes, my dear.
        """,
    ]

    private static let spanish = [
        // M. de Cervantes, Don Quijote (1605)
        """
        En un lugar de la Mancha, de cuyo nombre no quiero acordarme, no ha mucho tiempo que vivía un hidalgo de los \
        de lanza en astillero, adarga antigua, rocín flaco y galgo corredor. Este hidalgo, los ratos que estaba \
        ocioso, se daba a leer libros de caballerías con tanta afición y gusto, que olvidó casi de todo punto el \
        ejercicio de la caza. Llegó a tanto su curiosidad que vendió muchas hanegas de tierra para comprar libros de \
        caballerías en que leer. Se enfrascó tanto en su lectura, que se le pasaban las noches leyendo de claro en \
        claro, y del poco dormir y del mucho leer se le secó el cerebro. Llenósele la fantasía de todo aquello que \
        leía en los libros, de encantamientos, pendencias, batallas, desafíos y caballeros. Le pareció conveniente \
        hacerse caballero andante e irse por todo el mundo con sus armas y caballo a buscar aventuras.
        """,
        // D. F. Sarmiento, Facundo (1845)
        """
        El mal que aqueja a la República Argentina es la extensión: el desierto la rodea por todas partes. La llanura \
        inmensa, los bosques inmensos, los ríos inmensos, y el horizonte siempre incierto, siempre confundiéndose con \
        la tierra. Al sur y al norte acechan los salvajes, que aguardan las noches de luna para caer sobre los ganados \
        que pacen en los campos. En la solitaria caravana de carretas que atraviesa pesadamente las pampas, la \
        tripulación vuelve maquinalmente la vista hacia el sur al más ligero susurro del viento. La pampa no tiene \
        límite conocido ni accidente notable: es la imagen del mar en la tierra. La hierba de la llanura cubre el \
        horizonte, y la carreta avanza por la pampa como un barco.
        """,
        // J. Martí, Nuestra América (1891)
        """
        Cree el aldeano vanidoso que el mundo entero es su aldea. Con tal que él quede de alcalde, ya da por bueno el \
        orden universal. Trincheras de ideas valen más que trincheras de piedra. Los pueblos que no se conocen han de \
        darse prisa para conocerse, como quienes van a pelear juntos. El buen gobernante en América no es el que sabe \
        cómo se gobierna el alemán o el francés, sino el que sabe con qué elementos está hecho su país. El gobierno ha \
        de nacer del país. La forma del gobierno ha de avenirse a la constitución propia del país. Los pueblos de \
        América han de conocerse, y gobernar con sus ideas.
        """,
        // Written for this: the tides
        """
        Las mareas crecen y menguan dos veces cada día por la atracción de la luna. Cuando la luna y el sol se hallan \
        en línea, las aguas del océano suben más y la marea se llama viva. Cuando el sol y la luna forman ángulo, la \
        marea es muerta y las aguas apenas se mueven. En los golfos estrechos el agua entra con fuerza y la marea sube \
        muchos metros. En los mares cerrados la atracción de la luna apenas se nota. Los marineros conocen la hora de \
        la marea por la altura de la luna y entran al puerto cuando el agua crece.
        """,
        // G. A. Bécquer, Leyendas: El rayo de luna (1862)
        """
        Era noble, había nacido entre el estruendo de las armas, y el insólito clamor de una trompa de guerra no le \
        hubiera hecho levantar la cabeza un instante. Amaba la soledad, y la amaba de tal modo que algunas veces \
        hubiera deseado no tener sombra. Amaba la soledad porque en su seno, dando rienda suelta a la imaginación, \
        forjaba un mundo fantástico habitado por extrañas creaciones, hijas de sus sueños de poeta. Creía que en el \
        fondo de las ondas del río vivían mujeres misteriosas, hadas o ninfas, que exhalaban lamentos y suspiros. En \
        las nubes, en el aire, en el fondo de los bosques imaginaba percibir formas o escuchar sonidos de seres \
        sobrenaturales. Amaba a todas las mujeres un instante, porque sus sueños eran de poeta.
        """,
        // Written for this, in the Madrid of B. Pérez Galdós
        """
        La tienda de paños de la plaza vendía mantones, bayetas y capas desde el siglo pasado. El dueño medía el paño \
        con una vara de madera que había sido de su abuelo. Los dependientes dormían bajo el mostrador y barrían la \
        tienda antes de abrir. Las señoras pedían mantones de Manila y regateaban el precio hasta cansar al \
        dependiente. Con el ferrocarril llegaron los paños de Cataluña, más baratos que los de Béjar. El dueño bajó el \
        precio de las capas y compró telas de algodón. La tienda olía a lana y a madera vieja.
        """,
    ]

    private static let portuguese = [
        // J. M. Machado de Assis, Dom Casmurro (1899)
        """
        Uma noite destas, vindo da cidade para o Engenho Novo, encontrei no trem da Central um rapaz aqui do bairro, \
        que eu conheço de vista e de chapéu. Cumprimentou-me, sentou-se ao pé de mim, falou da lua e dos ministros, e \
        acabou recitando-me versos. A viagem era curta, e os versos pode ser que não fossem inteiramente maus. \
        Sucedeu, porém, que, como eu estava cansado, fechei os olhos três ou quatro vezes; tanto bastou para que ele \
        interrompesse a leitura e metesse os versos no bolso. No dia seguinte entrou a dizer de mim nomes feios, e \
        acabou alcunhando-me Dom Casmurro. Os vizinhos deram curso à alcunha, que afinal pegou. O rapaz do trem e dos \
        versos não me guardou rancor.
        """,
        // E. da Cunha, Os Sertões (1902)
        """
        O sertanejo é, antes de tudo, um forte. Não tem o raquitismo exaustivo dos mestiços do litoral. A sua \
        aparência, entretanto, ao primeiro lance de vista, revela o contrário. O sertanejo anda sem firmeza, sem \
        aprumo, quase gigante e sinuoso. A seca chega ao sertão como um fatalismo e o sertanejo a espera. Ele conhece \
        os sinais da seca no céu e na caatinga. Quando a seca vem, o sertanejo reza, resiste e só parte do sertão \
        quando o gado morre. Terminada a seca, ele volta ao sertão forte como antes.
        """,
        // J. M. de Eça de Queirós, A Cidade e as Serras (1901), retold
        """
        O meu amigo Jacinto nasceu num palácio, com cento e nove contos de renda em terras de semeadura, de vinhedo, \
        de cortiça e de olival. No palácio havia elevadores, telefones, fios elétricos e canos de água quente e fria. \
        Jacinto juntava no seu palácio todas as máquinas da civilização. A biblioteca do palácio tinha trinta mil \
        volumes e uma máquina para os contar. Uma noite os canos rebentaram e a água quente inundou a biblioteca. O \
        elevador parou com o peixe do jantar lá dentro. Jacinto olhava as suas máquinas e bocejava.
        """,
        // Written for this: the tides
        """
        As marés sobem e descem duas vezes por dia pela atração da lua. Quando a lua e o sol estão em linha, as águas \
        do oceano sobem mais e a maré se chama viva. Quando o sol e a lua fazem ângulo, a maré é morta e as águas \
        quase não se movem. Nos golfos estreitos a água entra com força e a maré sobe muitos metros. Nos mares \
        fechados a atração da lua mal se nota. Os marinheiros conhecem a hora da maré pela altura da lua e entram no \
        porto quando a água sobe.
        """,
        // J. de Alencar, Iracema (1865)
        """
        Além, muito além daquela serra, que ainda azula no horizonte, nasceu Iracema. Iracema, a virgem dos lábios de \
        mel, que tinha os cabelos mais negros que a asa da graúna e mais longos que seu talhe de palmeira. O favo da \
        jati não era doce como seu sorriso; nem a baunilha recendia no bosque como seu hálito perfumado. Mais rápida \
        que a ema selvagem, a morena virgem corria o sertão e as matas do Ipu. Um dia, ao pino do sol, ela repousava \
        em um claro da floresta. Banhava-lhe o corpo a sombra da oiticica, mais fresca do que o orvalho da noite. Os \
        pássaros da floresta ameigavam o canto. A virgem saiu do banho e o guerreiro branco estava diante dela.
        """,
    ]
}
