package import Uploads

/// What the front door of a node listens on and allows. Every limit has a unit in its name.
package struct GatewayConfiguration: Sendable {
    /// Address to listen on. Default `127.0.0.1`: a node is opened to a network on purpose, never by accident.
    package var host: String
    /// Port to listen on; 0 takes a free one.
    package var port: Int
    /// The certificate of the door; nil: it speaks without TLS.
    package var credentials: DoorCredentials?
    /// Port without TLS that sends everybody to the one with it; nil: there is none.
    package var redirectPort: Int?
    /// Where operators are answered; nil: on the door of everybody.
    package var adminPort: Int?
    package var adminHost = "127.0.0.1"
    /// `https://clips.example`: under which clients know this node. Nil: by the name they asked for.
    package var publicAddress: String?
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
    /// Open connections; more wait in the kernel's queue. Default 800.
    package var connectionsMax: Int
    /// Open connections of one address (of one /64 with IPv6); more are closed at once. Default 800.
    package var connectionsPerAddressMax: Int
    /// All headers of one request. Default 32 KiB.
    package var headerBytesMax: Int
    /// How fast a client must be; whoever is slower is cut off, and holds no connection.
    package var pace = ConnectionPace.Limits()
    /// A refused upload is read and thrown away for so long, so that the client gets to see the answer. Default 5.
    package var lingerSeconds: Int
    /// How long a stopping node lets downloads end before it cuts them off. Default 5.
    package var shutdownSeconds: Int
    /// Machines in front whose word about a client's address counts. Default: none.
    package var trustedProxies: TrustedProxies = .none
    package var forwardedHeader: TrustedProxies.Header = .forwardedFor
    /// Every connection begins with a PROXY header (version 1 or 2), and comes from one of `trustedProxies`.
    package var expectsProxyHeader = false
    /// Whoever has no key is turned away below `/api`, but for health, metrics and the description.
    package var requiresKeys = false
    /// Whose pages may read answers. Default: only our own's.
    package var origins: AllowedOrigins = .none
    /// For how long browsers shall come back by TLS only; nil: they are not told, because we are reached without.
    package var strictTransportSeconds: Int?
    /// Whether files are given away by signed links only.
    package var signedDownloads = SignedDownloads.off
    package var eventPace: EventFeed.Pace
    /// Of resumable uploads; their `bytesMax` is `uploadBytesMax`.
    package var uploads: UploadLimits
    package var multipart: MultipartParser.Limits
    /// How videos are fetched from addresses; nil: they are not.
    package var imports: ImportConfiguration?

    package init(
        host: String = "127.0.0.1", port: Int = 8080, adminToken: String? = nil,
        adminReadToken: String? = nil, uploadBytesMax: Int64 = 16 << 30,
        transcriptBytesMax: Int = 4 << 20, jsonBytesMax: Int = 64 << 10, streamsMax: Int = 200,
        connectionsMax: Int = 800, connectionsPerAddressMax: Int = 800, headerBytesMax: Int = 32 << 10,
        lingerSeconds: Int = 5, shutdownSeconds: Int = 5, eventPace: EventFeed.Pace = EventFeed.Pace(),
        uploads: UploadLimits = UploadLimits(),
        multipart: MultipartParser.Limits = MultipartParser.Limits(), imports: ImportConfiguration? = nil
    ) {
        precondition((0...65_535).contains(port), "port \(port) does not exist")
        precondition(
            uploadBytesMax > 0 && transcriptBytesMax > 0 && jsonBytesMax > 0 && streamsMax > 0 && connectionsMax > 0
                && connectionsPerAddressMax > 0 && headerBytesMax > 0 && lingerSeconds >= 0 && shutdownSeconds >= 0,
            "limits must be positive")
        self.host = host
        self.port = port
        self.adminToken = adminToken
        self.adminReadToken = adminReadToken
        self.uploadBytesMax = uploadBytesMax
        self.transcriptBytesMax = transcriptBytesMax
        self.jsonBytesMax = jsonBytesMax
        self.streamsMax = streamsMax
        self.connectionsMax = connectionsMax
        self.connectionsPerAddressMax = connectionsPerAddressMax
        self.headerBytesMax = headerBytesMax
        self.lingerSeconds = lingerSeconds
        self.shutdownSeconds = shutdownSeconds
        self.eventPace = eventPace
        self.uploads = uploads
        self.uploads.bytesMax = uploadBytesMax
        self.multipart = multipart
        self.imports = imports
    }
}
