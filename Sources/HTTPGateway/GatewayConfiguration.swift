/// What the front door of a node listens on and allows. Every limit has a unit in its name.
package struct GatewayConfiguration: Sendable {
    /// Address to listen on. Default `127.0.0.1`: a node is opened to a network on purpose, never by accident.
    package var host: String
    /// Port to listen on; 0 takes a free one.
    package var port: Int
    /// Token with which operators may look at `/admin/v1` and give orders; nil closes it for orders. Tokens are
    /// compared in constant time and never logged.
    package var adminToken: String?
    /// Token with which `/admin/v1` can be looked at and nothing be changed, for dashboards; nil: there is none.
    package var adminReadToken: String?
    /// Largest video. Default 16 GiB.
    package var uploadBytesMax: Int64
    /// Largest transcript that comes with a video; it is held in memory while it arrives. Default 4 MiB.
    package var transcriptBytesMax: Int
    /// Largest JSON body. Default 64 KiB.
    package var jsonBytesMax: Int
    /// Event streams this node serves at one time, so that watchers never starve workers of the database. Default 200.
    package var streamsMax: Int
    /// Open connections; more wait in the kernel's queue. Below the usual 1024 file descriptors. Default 800.
    package var connectionsMax: Int
    /// All headers of one request. Default 32 KiB.
    package var headerBytesMax: Int
    /// A connection that sends nothing for so long while it should is closed (slow clients hold no slot). Default 75.
    package var idleSeconds: Int
    /// A refused upload is read and thrown away for so long, so that the client gets to see the answer. Default 5.
    package var lingerSeconds: Int
    package var eventPace: EventFeed.Pace
    package var multipart: MultipartParser.Limits
    /// How videos are fetched from addresses; nil: they are not.
    package var imports: ImportConfiguration?

    package init(
        host: String = "127.0.0.1", port: Int = 8080, adminToken: String? = nil,
        adminReadToken: String? = nil, uploadBytesMax: Int64 = 16 << 30,
        transcriptBytesMax: Int = 4 << 20, jsonBytesMax: Int = 64 << 10, streamsMax: Int = 200,
        connectionsMax: Int = 800, headerBytesMax: Int = 32 << 10, idleSeconds: Int = 75, lingerSeconds: Int = 5,
        eventPace: EventFeed.Pace = EventFeed.Pace(), multipart: MultipartParser.Limits = MultipartParser.Limits(),
        imports: ImportConfiguration? = nil
    ) {
        precondition((0...65_535).contains(port), "port \(port) does not exist")
        precondition(
            uploadBytesMax > 0 && transcriptBytesMax > 0 && jsonBytesMax > 0 && streamsMax > 0 && connectionsMax > 0
                && headerBytesMax > 0 && idleSeconds > 0 && lingerSeconds >= 0, "limits must be positive")
        self.host = host
        self.port = port
        self.adminToken = adminToken
        self.adminReadToken = adminReadToken
        self.uploadBytesMax = uploadBytesMax
        self.transcriptBytesMax = transcriptBytesMax
        self.jsonBytesMax = jsonBytesMax
        self.streamsMax = streamsMax
        self.connectionsMax = connectionsMax
        self.headerBytesMax = headerBytesMax
        self.idleSeconds = idleSeconds
        self.lingerSeconds = lingerSeconds
        self.eventPace = eventPace
        self.multipart = multipart
        self.imports = imports
    }
}
