extension MomentScript {
    static let englishTuned = MomentScript(
        topics: [
            ["timber", "screws", "varnish", "saws", "planks", "glue", "sandpaper", "chisels", "joints", "clamps"],
            [
                "wheat", "irrigation", "tractors", "seeds", "harvests", "barns", "fertiliser", "ploughs", "fields",
                "hay",
            ],
            ["sails", "anchors", "harbours", "tides", "ropes", "oars", "keels", "captains", "lighthouses", "waves"],
            ["needles", "wool", "buttons", "fabrics", "threads", "patterns", "zips", "linen", "hems", "looms"],
        ],
        dull: [
            "and then we went over the part about %1 with some %2 in the room.",
            "the group writes down %1 next to %2 as they do each week.",
            "so in the table there is %1 below %2.",
            "the team keeps %1 near %2 during the afternoon.",
            "there is a page on %1 and another page on %2 in the annex.",
            "we looked at %1 last month and at %2 the month before.",
        ],
        idle: [
            "okay, um, let me just find the right page here.", "so, yeah, moving on, let us see.",
            "thank you all for coming, please remember to subscribe to the channel!",
            "uh, where was I, right, the next slide.",
        ],
        moments: [
            [
                "Did you know that 90 percent of startups fail because nobody asked the customer one question?",
                "The biggest mistake you can make is to build the product before you talk to people.",
                "We lost two million dollars in a single year, and I will tell you exactly why it happened.",
                "Our customers never wanted the product, they wanted an honest answer from a human being.",
                "When we finally listened, revenue tripled in six months and the startup survived!",
            ],
            [
                "I remember the first time my grandmother saw a mobile phone.",
                "She held it upside down for ten minutes and shouted at the priest through the camera.",
                "The priest was standing right behind her, holding the cake, and he answered her politely.",
                "She turned around and said that the sound was incredible. *",
            ],
            [
                "Everyone thinks that talent decides who plays the violin in the orchestra.",
                "But a study in Berlin counted the hours of practice, and talent explained almost nothing.",
                "The best violinists had slept more, rested more, and practised four hours a day, never eight.",
                "That is why I tell every student the same thing: rest is half of the training.",
            ],
        ])

    static let englishHeldOut = MomentScript(
        topics: [
            [
                "invoices", "ledgers", "receipts", "audits", "taxes", "balances", "deposits", "pensions", "loans",
                "fees",
            ],
            ["bricks", "mortar", "scaffolds", "roofs", "pipes", "drains", "cement", "girders", "tiles", "windows"],
            ["spores", "fungi", "roots", "moss", "bark", "pollen", "lichens", "petals", "stems", "leaves"],
            [
                "trams", "platforms", "tickets", "timetables", "rails", "junctions", "carriages", "tunnels", "fares",
                "signals",
            ],
            ["flour", "yeast", "ovens", "dough", "salt", "crusts", "trays", "butter", "loaves", "sugar"],
        ],
        dull: [
            "the next item is %1, which comes together with %2 on the list.",
            "a colleague sent the figures for %1 and somebody else those for %2.",
            "in this column we put %1, and in that one we put %2.",
            "there was a short discussion of %1 and it was moved to %2.",
            "for %1 the procedure is the usual one, and for %2 as well.",
            "it says here that %1 are stored beside %2 until the spring.",
            "you can see %1 on the left and then %2 on the right.",
        ],
        idle: [
            "um, just a second, the screen is not, okay, there it is.",
            "right, so, as I was saying, well, let us go on.",
            "hello everyone and welcome back to the show, do not forget to hit the bell!",
            "uh, I think that, um, we can skip this one.",
        ],
        moments: [
            [
                "Why do some people recover from failure in a week while others need ten years?",
                "For a long time I believed the answer was character, and I was completely wrong.",
                "What separates them is a single habit: they describe what happened out loud to another person.",
                "Shame grows in silence, and it dies the moment somebody hears your story.",
                "So call a friend tonight and tell them the worst thing that happened to you this year.",
            ],
            [
                "One night in Lisbon I got into the wrong taxi with the wrong suitcase.",
                "The driver never asked where I was going, he simply handed me a trumpet and a map.",
                "Forty minutes later I was standing on a stage in front of three hundred dentists.",
                "They had paid for a jazz legend, and I had never touched a trumpet in my life.",
                "I bowed, I breathed, and I played the only note I could find for eleven minutes. *",
            ],
            [
                "Most doctors will never tell you this about sleeping pills.",
                "A pill does not give you sleep, it gives you a blackout that looks like sleep.",
                "In the laboratory the brain waves of deep sleep disappear by sixty percent.",
                "The truth is that a dark room and a cold pillow beat every tablet on the market.",
            ],
            [
                "What would you do if you had only one year left to live?",
                "My father was asked that question by a surgeon on a Tuesday morning.",
                "He thought about it, laughed, and said that he would finally learn to swim.",
                "He lived for nineteen more years, and he swam across the bay on every single birthday.",
                "Nobody is promised time, but everybody is allowed to begin.",
            ],
            [
                "The secret of a good negotiation is embarrassingly simple: stop talking.",
                "I tested it with a landlord who wanted nine hundred for a room without a door.",
                "I said nothing for two whole minutes, and he lowered the price four times.",
                "In the end he offered me the door as well. *",
            ],
        ])
}
