extension Setting {
    /// How the door is hung: TLS, who stands in front, and how slow a client may be.
    static let door: [Setting] = [
        Setting(
            "http.tls.certificate", .text, default: "",
            "PEM file: the certificate that clients see, then intermediate ones. Read again when it changes. Empty: no "
                + "TLS; then something in front must speak it."),
        Setting("http.tls.key", .text, default: "", "PEM file: the certificate's private key, without a passphrase."),
        Setting(
            "http.tls.minimumVersion", .choice(["1.2", "1.3"]), default: "1.2",
            "Oldest TLS that is spoken. Older ones than 1.2 are never."),
        Setting(
            "http.hstsSeconds", .integer(0...63_072_000), default: "31536000", unit: "seconds",
            "For how long browsers come back by TLS only (HSTS); sent where clients use TLS. 0: not sent."
        ),
        Setting(
            "http.redirectPort", .integer(0...65535), default: "0", unit: "port",
            "Port without TLS that shows the way to the one with it. 0: there is none."),
        Setting(
            "http.keys.required", .choice(["false", "true"]), default: "false",
            "true: below /api only clients with a key are served, but for health, metrics and openapi.json. The page "
                + "sends none: it then needs a proxy that adds one."),
        Setting(
            "http.origins", .text, default: "",
            "Origins whose pages may use the API (CORS), with commas between, or * for all. Never for /admin."),
        Setting(
            "http.downloads.signed", .choice(["off", "required"]), default: "off",
            "required: files are given away by signed links only, which end; jobs, their clips and the page have them. "
                + "Prevents an address that was passed on from being good for ever. off: signatures that are there are "
                + "checked."),
        Setting(
            "http.trustedProxies", .text, default: "",
            "Addresses and networks in front of this node whose word about a client's address counts, with commas "
                + "between. Prevents anybody else from posing as another client."),
        Setting(
            "http.forwardedHeader", .choice(["X-Forwarded-For", "Forwarded"]), default: "X-Forwarded-For",
            "Which header those write. The other one is not read: a client could send it."),
        Setting(
            "http.proxyProtocol", .choice(["off", "on"]), default: "off",
            "on: every connection begins with a PROXY header, version 1 or 2, and comes from one of trustedProxies."),
        Setting(
            "http.connectionsMax", .integer(64...1_000_000), default: "16000", unit: "connections",
            "Open connections; more wait in the kernel. Lowered to what the limit of open files allows."),
        Setting(
            "http.connectionsPerAddressMax", .integer(1...1_000_000), default: "1000", unit: "connections",
            "Open connections of one address, or IPv6 /64; more are closed at once. Prevents one machine from taking "
                + "them all. trustedProxies are not counted."),
        Setting(
            "http.headerBytesMax", .integer(1024...1_048_576), default: "32768", unit: "bytes",
            "All headers of a request; more is 431."),
        Setting(
            "http.headSeconds", .integer(1...3600), default: "10", unit: "seconds",
            "For a handshake, and from the first byte of a request to the end of its headers. Prevents clients that "
                + "send a byte now and then from holding connections (slow loris)."),
        Setting(
            "http.idleSeconds", .integer(1...86_400), default: "75", unit: "seconds",
            "A connection without a request is closed after it."),
        Setting(
            "http.bodyBytesPerSecondMin", .integer(0...1_048_576), default: "200", unit: "bytes a second",
            "Slowest body that is waited for, over any 30 seconds of waiting."),
        Setting(
            "http.stuckSeconds", .integer(1...3600), default: "60", unit: "seconds",
            "A client that takes nothing of an answer for so long is cut off."),
        Setting(
            "http.shutdownSeconds", .integer(0...3600), default: "5", unit: "seconds",
            "How long a stopping node lets answers end before it cuts them off."),
    ]
}
