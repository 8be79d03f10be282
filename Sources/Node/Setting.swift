/// One key of the configuration: what it is called, what it takes, what it is when nobody sets it.
///
/// The list below is the only place that knows the keys: `config check`, `config print`, the reader and
/// `docs/configuration.md` all come from it.
package struct Setting: Sendable {
    package enum Kind: Sendable, Hashable {
        case text, secret
        case integer(ClosedRange<Int>)
        case choice([String])
    }

    /// Path in the YAML file, `section.name`. The environment variable is `TIJERA_SECTION_NAME`.
    package let key: String
    package let kind: Kind
    /// Nil: the node does not start without a value.
    package let fallback: String?
    /// Unit of an integer.
    package let unit: String
    /// What it means, and the accident that a right value prevents.
    package let meaning: String

    init(_ key: String, _ kind: Kind, default fallback: String?, unit: String = "", _ meaning: String) {
        self.key = key
        self.kind = kind
        self.fallback = fallback
        self.unit = unit
        self.meaning = meaning
    }

    /// `http.uploadBytesMax` is `TIJERA_HTTP_UPLOAD_BYTES_MAX` in the environment.
    package var environmentName: String {
        var name = "TIJERA_"
        for character in key {
            if character == "." {
                name += "_"
            } else {
                if character.isUppercase { name += "_" }
                name += character.uppercased()
            }
        }
        return name.replacing("_U_R_L", with: "_URL")
    }

    /// What is wrong with `text` as a value of this setting, or nil.
    package func problem(with text: String) -> String? {
        switch kind {
        case .text, .secret: return nil
        case .integer(let range):
            guard let number = Int(text) else { return "must be a whole number\(unit.isEmpty ? "" : " of \(unit)")" }
            return range.contains(number) ? nil : "must be between \(range.lowerBound) and \(range.upperBound)"
        case .choice(let values):
            return values.contains(text) ? nil : "must be one of \(values.joined(separator: ", "))"
        }
    }
}

extension Setting {
    /// Every key, in the order in which `config print` shows them. Those of the door stand after the rest of `http`.
    package static let all: [Setting] = {
        let place = listed.lastIndex { $0.key.hasPrefix("http.") } ?? listed.startIndex
        return Array(listed[...place]) + door + Array(listed[(place + 1)...])
    }()

    /// Defaults that depend on the machine are empty here.
    private static let listed: [Setting] = [
        Setting("node.name", .text, default: nil, "Name of this node, unique in the cluster: a-z, 0-9 and -."),
        Setting("node.region", .text, default: "local", "Where it stands. Its nodes serve its own jobs first."),
        Setting(
            "node.zone", .text, default: "",
            "What would be lost together with it: a rack, a room. Copies are spread over zones."
        ),
        Setting(
            "node.capacity", .integer(0...10_000), default: "0", unit: "weight",
            "Its share of the keys, beside that of the others. 0: its threads."),
        Setting(
            "node.leaseSeconds", .integer(3...300), default: "6", unit: "seconds",
            "How long after its last heartbeat its work is given to others. Shorter rescues sooner; too short and a "
                + "pause of the machine costs work."),
        Setting(
            "node.drainSeconds", .integer(0...3600), default: "5", unit: "seconds",
            "How long a stopping node lets running stages finish before it gives them back."),
        Setting(
            "node.handBackSeconds", .integer(0...86_400), default: "600", unit: "seconds",
            "How long a node that its operator drains lets running stages finish before it gives them back."),
        Setting(
            "cluster.name", .text, default: "tijera",
            "Nodes of two clusters never talk: a staging node with a production address is turned away."),
        Setting("cluster.host", .text, default: "127.0.0.1", "Address on which other nodes are listened for."),
        Setting("cluster.port", .integer(1...65535), default: "7400", "Port on which other nodes are listened for."),
        Setting(
            "cluster.address", .text, default: "",
            "host:port under which other nodes reach this one. Empty: from host and port."),
        Setting(
            "cluster.seeds", .text, default: "",
            "Nodes to join, as host:port with commas between; a name may stand for many addresses. Empty: it waits "
                + "to be joined."),
        Setting(
            "cluster.certificate", .text, default: nil,
            "PEM file: this node's certificate, with its name in the SAN. Read again when it changes."),
        Setting("cluster.key", .text, default: nil, "PEM file: the certificate's private key."),
        Setting(
            "cluster.authorities", .text, default: nil,
            "PEM file: the CAs whose certificates are nodes; two of them while one replaces the other."),
        Setting(
            "cluster.denyList", .text, default: "",
            "File of certificates that are let in no more, one serial or SHA-256 a line. Read again when it changes."
        ),
        Setting(
            "cluster.network", .choice(["local", "lan", "wan"]), default: "lan",
            "How far apart nodes are; sets the intervals of gossip. Too short for the distance: false alarms."),
        Setting("http.host", .text, default: "127.0.0.1", "Address to listen on; 0.0.0.0 for every interface."),
        Setting("http.port", .integer(1...65535), default: "8080", "Port to listen on."),
        Setting(
            "http.address", .text, default: "",
            "Base URL under which others reach this node. Empty: from host and port."),
        Setting(
            "http.uploadBytesMax", .integer(1...1 << 50), default: "17179869184", unit: "bytes",
            "Largest upload. Prevents one client from filling the disk."),
        Setting(
            "http.eventStreamsMax", .integer(1...100_000), default: "512", unit: "streams",
            "Open event streams at one time; the next one is sent away with Retry-After."),
        Setting(
            "uploads.partBytes", .integer(1 << 16...1 << 40), default: "67108864", unit: "bytes",
            "After so many bytes of one request what has arrived of a resumable upload is made durable. More and a "
                + "node that dies costs more; less and joining takes longer."),
        Setting(
            "uploads.partsMax", .integer(1...1_000_000), default: "10000", unit: "parts",
            "Parts of one resumable upload. Prevents a client that sends byte by byte from filling the database."),
        Setting(
            "uploads.sessionsMax", .integer(1...1_000_000), default: "50", unit: "uploads",
            "Resumable uploads that one client may have under way. Prevents one client from opening them without end."),
        Setting(
            "uploads.clientBytesMax", .integer(1...1 << 50), default: "68719476736", unit: "bytes",
            "What those of one client may come to together. Prevents it from filling the disk with what it never "
                + "ends."),
        Setting(
            "uploads.keepSeconds", .integer(60...31_536_000), default: "86400", unit: "seconds",
            "How long a resumable upload waits for its client to go on. Prevents unfinished ones from staying for ever."
        ),
        Setting(
            "uploads.takeoverMilliseconds", .integer(0...60_000), default: "2000", unit: "milliseconds",
            "How long a request waits until the one before it, of the same upload, has stored what it has. Then it "
                + "goes on without it; prevents waiting for a node that is dead."),
        Setting(
            "limits.uploadsPerMinute", .integer(1...1_000_000), default: "120", unit: "uploads a minute",
            "Videos that one client may send to the whole cluster. Prevents one script from filling the disk."),
        Setting(
            "limits.jobsPerMinute", .integer(1...1_000_000), default: "120", unit: "jobs a minute",
            "Jobs that one client may begin. Prevents one script from filling the queue."),
        Setting(
            "limits.refusedKeysPerMinute", .integer(1...1_000_000), default: "30", unit: "keys a minute",
            "Keys that are unknown, revoked or mistyped that one address may show; then it gets 429. Prevents one "
                + "script from keeping the database busy with made-up keys."),
        Setting(
            "limits.rules", .text, default: "api * /api/* 30000/60; admin * /admin/* 6000/60 per=address",
            "Further limits, with semicolons between: NAME METHOD PATH LIMIT/SECONDS, then burst=N, per=client, "
                + "per=address or per=key, at-once=N (on one node), shadow."),
        Setting(
            "limits.shadow", .choice(["off", "on"]), default: "off",
            "on: no limit refuses anybody; what it would have refused is counted and logged."),
        Setting(
            "limits.redis.url", .secret, default: "",
            "Redis that counts limits instead of the cluster: redis://[user:password@]host[:port][/database], "
                + "rediss:// for TLS, unix:///path. The same on every node. Empty: the cluster counts."),
        Setting(
            "limits.redis.authorities", .text, default: "",
            "PEM file of the CAs that its certificate may come from. Empty: those of the system."),
        Setting(
            "limits.redis.answerMilliseconds", .integer(1...5000), default: "50", unit: "milliseconds",
            "How long a request waits for it; then the cluster counts. Prevents a Redis that hangs from holding "
                + "requests."
        ),
        Setting(
            "limits.redis.connectMilliseconds", .integer(10...60_000), default: "1000", unit: "milliseconds",
            "How long a connection may take, and how long one that hangs is kept."),
        Setting(
            "clients.jobsMax", .integer(0...1_000_000), default: "0", unit: "jobs",
            "Jobs of one client that may be under way at once; further ones are taken in and wait. Operators may grant "
                + "a client more or fewer. 0: as many as it likes."),
        Setting(
            "clients.minutesMax", .integer(0...10_000_000), default: "0", unit: "minutes",
            "Minutes of video that a client may have looked at in a calendar month (UTC); then its uploads and jobs "
                + "are refused until the next. A plan or terms of its own stand over it. 0: no limit."),
        Setting(
            "jobs.awaySeconds", .integer(0...86_400), default: "60", unit: "seconds",
            "How long work that could begin is left to the nodes of its own region, before those of others take it as "
                + "their own. Too short and videos travel between regions; too long and a region without nodes waits."),
        Setting(
            "store.url", .secret, default: nil,
            "PostgreSQL to keep the truth in, as a libpq connection string or URL."),
        Setting(
            "store.connectionsMax", .integer(2...100), default: "6", unit: "connections",
            "Connections of this node. Prevents nodes from using up what the server allows."),
        Setting(
            "blobs.kind", .choice(["directory", "s3"]), default: "directory",
            "Where uploads and clips stand: in a folder that all nodes share, or in a bucket."),
        Setting(
            "blobs.directory", .text, default: nil,
            "Folder for uploads and clips, shared by all nodes; with s3 for what this node works on, and for copies."),
        Setting(
            "blobs.freeBytesMin", .integer(0...1 << 50), default: "536870912", unit: "bytes",
            "Refuses new bytes when the disk has less left, so that running work can end."),
        Setting(
            "blobs.cacheBytesMax", .integer(1 << 20...1 << 50), default: "21474836480", unit: "bytes",
            "With s3: what copies of blobs may take of the disk. Must hold the sources that are worked on at one time; "
                + "a larger video cannot be worked on here."),
        Setting(
            "blobs.s3.endpoint", .text, default: "",
            "scheme://host[:port] of the service. Empty: AWS, in the region of blobs.s3.region."),
        Setting(
            "blobs.s3.publicEndpoint", .text, default: "",
            "The same as clients reach it, for links. Empty: as nodes do."),
        Setting("blobs.s3.region", .text, default: "us-east-1", "Region that requests are signed for."),
        Setting("blobs.s3.bucket", .text, default: "", "Bucket, which must be there. Needed with s3."),
        Setting(
            "blobs.s3.prefix", .text, default: "",
            "Stands before every key. Prevents two clusters in one bucket from removing each other's blobs."),
        Setting(
            "blobs.s3.style", .choice(["auto", "path", "host"]), default: "auto",
            "Whether the bucket is in the path or in the host's name. auto: in the name at AWS, else in the path."),
        Setting(
            "blobs.s3.authorities", .text, default: "",
            "PEM file of the CAs that the service's certificate may come from. Empty: those of the system."),
        Setting(
            "blobs.s3.proxy", .text, default: "",
            "http://host:port that the service is reached through. Empty: directly, whatever http_proxy says."),
        Setting(
            "blobs.s3.encryption", .choice(["bucket", "service", "kms"]), default: "bucket",
            "How objects are encrypted at rest: as the bucket says, with keys of the service (SSE-S3), or of KMS."),
        Setting("blobs.s3.kmsKey", .text, default: "", "Key for kms. Empty: the account's own for S3."),
        Setting(
            "blobs.s3.checksums", .choice(["sha256", "none"]), default: "sha256",
            "Sends SHA-256 along for the service to compare. none: for services that do not know it."),
        Setting(
            "blobs.s3.redirectDownloads", .choice(["false", "true"]), default: "false",
            "Sends who downloads a clip to the service, with a signed link, instead of passing the bytes on."),
        Setting(
            "blobs.s3.linkSeconds", .integer(1...604_800), default: "900", unit: "seconds",
            "How long such a link is good. Prevents one that leaks from being good for ever."),
        Setting(
            "blobs.s3.credentials",
            .choice(["auto", "settings", "environment", "web-identity", "file", "container", "instance"]),
            default: "auto",
            "Where credentials come from. auto: these settings, AWS_..., a role by AWS_WEB_IDENTITY_TOKEN_FILE, the "
                + "shared file, ECS or EKS, the role of the instance; the first that there is."),
        Setting("blobs.s3.accessKey", .text, default: "", "Access key, if it is given here."),
        Setting("blobs.s3.secretKey", .secret, default: "", "Its secret."),
        Setting(
            "blobs.s3.profile", .text, default: "", "Profile of the shared file. Empty: AWS_PROFILE, or default."),
        Setting(
            "blobs.s3.partBytes", .integer(5 << 20...5 << 30), default: "16777216", unit: "bytes",
            "Part in which a large blob is sent. A lost connection costs one part; grows where 10,000 are too few."),
        Setting(
            "blobs.s3.requestsMax", .integer(1...1000), default: "64", unit: "requests",
            "Requests of this node at one time: half of them for work, half for clients, one each at least, so that "
                + "neither holds up the other. Prevents a burst of more connections than the service takes."),
        Setting(
            "blobs.s3.patienceSeconds", .integer(1...3600), default: "120", unit: "seconds",
            "How long work waits for a service that does not answer before it fails and is tried again. Clients wait a "
                + "tenth of it."),
        Setting(
            "blobs.s3.connectSeconds", .integer(1...300), default: "5", unit: "seconds",
            "How long a connection may take."),
        Setting(
            "blobs.s3.stalledSeconds", .integer(1...300), default: "20", unit: "seconds",
            "A request that moves no byte for so long is given up and sent again."),
        Setting(
            "blobs.s3.staleUploadSeconds", .integer(3600...2_592_000), default: "86400", unit: "seconds",
            "Uploads in parts that nobody ended are dropped after this. Prevents paying for them for ever."),
        Setting(
            "blobs.s3.lifecycle", .choice(["leave", "set"]), default: "leave",
            "set: a bucket without lifecycle rules gets one by which the service does so itself, counted in days."),
        Setting(
            "worker.memoryFreeBytesMin", .integer(0...1 << 40), default: "536870912", unit: "bytes",
            "Begins no stage that would leave less memory available. Prevents the kernel from killing PostgreSQL."),
        Setting(
            "worker.stageMemoryBytes", .integer(0...1 << 40), default: "536870912", unit: "bytes",
            "Memory that one more stage is taken to need beside others. Prevents many that begin at once from filling "
                + "it."
        ),
        Setting(
            "worker.memoryPressurePercentMax", .integer(1...100), default: "25", unit: "percent",
            "Begins no stage while more of the last ten seconds went into waiting for memory."),
        Setting(
            "worker.scratchFreeBytesMin", .integer(0...1 << 50), default: "268435456", unit: "bytes",
            "Begins no stage with less room than this above blobs.freeBytesMin. Prevents work that cannot be written."),
        Setting(
            "overload.delayBatchSeconds", .integer(1...1_000_000), default: "120", unit: "seconds of queue",
            "From here batch jobs get only what nobody else wants."),
        Setting(
            "overload.sendAwaySeconds", .integer(1...1_000_000), default: "300", unit: "seconds of queue",
            "From here new jobs get their home in a region with more room."),
        Setting(
            "overload.deferNewSeconds", .integer(1...1_000_000), default: "1800", unit: "seconds of queue",
            "From here new jobs are taken in and begun later."),
        Setting(
            "overload.refuseSeconds", .integer(1...1_000_000), default: "7200", unit: "seconds of queue",
            "From here clients' orders for new work are refused with 503 and Retry-After."),
        Setting(
            "overload.fallsAtPercent", .integer(1...99), default: "50", unit: "percent",
            "A level is left below this part of what raised it. Prevents levels that come and go."),
        Setting(
            "overload.dwellSeconds", .integer(0...3600), default: "30", unit: "seconds",
            "How long a level stands at least. Prevents levels that come and go."),
        Setting(
            "overload.deferSecondsMax", .integer(1...1_000_000), default: "3600", unit: "seconds",
            "After this a job that was put off is begun whatever the level. Prevents one that never begins."),
        Setting(
            "overload.memoryPressurePercent", .integer(1...100), default: "10", unit: "percent",
            "From here batch jobs wait: part of the last ten seconds in which something waited for memory."),
        Setting(
            "cpu.threads", .integer(0...1024), default: "0", unit: "threads",
            "Threads this node may give to ffmpeg, Whisper and OpenCV together. 0: one for each core."),
        Setting(
            "cpu.machineThreads", .integer(0...1024), default: "0", unit: "threads",
            "The same for all nodes that share slotsDirectory. 0: one for each core."),
        Setting(
            "cpu.slotsDirectory", .text, default: "",
            "Folder of lock files through which the nodes of one machine share its cores. Empty: this node is alone."),
        Setting("speech.model", .text, default: nil, "whisper.cpp model file (ggml)."),
        Setting(
            "speech.childMemoryBytesMax", .integer(1 << 28...1 << 40), default: "4294967296", unit: "bytes",
            "Memory of one speech worker. Prevents a leak there from taking the machine down."),
        Setting("vision.faceModel", .text, default: nil, "YuNet face detector (ONNX)."),
        Setting("tools.ffmpeg", .text, default: "ffmpeg", "Path or name of ffmpeg."),
        Setting("tools.ffprobe", .text, default: "ffprobe", "Path or name of ffprobe."),
        Setting(
            "tools.memoryBytesMax", .integer(1 << 28...1 << 40), default: "4294967296", unit: "bytes",
            "Address space of one ffmpeg. Prevents a broken file from taking the machine down."),
        Setting(
            "tools.fileBytesMax", .integer(1 << 20...1 << 50), default: "17179869184", unit: "bytes",
            "Largest file that one ffmpeg may write. Prevents a broken file from filling the disk."),
        Setting(
            "sandbox.kind", .choice(["auto", "bwrap", "rlimits"]), default: "auto",
            "What media tools may see. bwrap: only the system's programs and the files of their run, no network; needs "
                + "bubblewrap and user namespaces. rlimits: limits alone. auto: the tightest that works, told at start."
        ),
        Setting(
            "sandbox.user", .integer(0...4_294_967_294), default: "65534", unit: "user id",
            "As whom media tools run where the node is root and its folders let the group in. 0: as root."),
        Setting(
            "source.secondsMax", .integer(60...86400), default: "14400", unit: "seconds",
            "Longest video. Prevents one job from keeping the cluster for days."),
        Setting(
            "source.pixelsMax", .integer(10_000...1 << 30), default: "36000000", unit: "pixels",
            "Largest picture, width times height. 8K passes."),
        Setting(
            "source.streamsMax", .integer(1...1000), default: "64", unit: "tracks",
            "Most tracks of a file, of all kinds. Each costs the prober a decoder and its memory."),
        Setting(
            "import.enabled", .choice(["off", "on"]), default: "off",
            "Whether videos are fetched from addresses that clients name (POST /api/imports)."),
        Setting(
            "import.privateNetworks", .text, default: "",
            "Networks that may be fetched from though they are not public, as 10.1.0.0/16 with commas between. Whoever "
                + "may import reads what this node can reach there."),
        Setting(
            "import.ports", .text, default: "80,443",
            "Ports that may be fetched from, with commas between. Prevents strangers from knocking at other doors."),
        Setting(
            "import.seconds", .integer(1...86_400), default: "3600", unit: "seconds",
            "Longest import, redirects included. Prevents a sender that drips from holding a place for ever."),
        Setting(
            "import.bytesPerSecondMin", .integer(0...1 << 30), default: "1024", unit: "bytes a second",
            "Slowest sender that is waited for, over any 30 seconds. 0: as slow as it likes."),
        Setting(
            "import.redirectsMax", .integer(0...20), default: "5", unit: "redirects",
            "How often an address may lead on; each is checked as the first one is."),
        Setting(
            "import.concurrentMax", .integer(1...1000), default: "4", unit: "imports",
            "Imports of this node at one time, half of them for one client; the next one is sent away with "
                + "Retry-After."),
        Setting(
            "antivirus.clamd", .text, default: "",
            "Where ClamAV's clamd listens: the path of its socket, or host:port. Uploads are scanned before anything "
                + "opens them. Empty: they are not. The same on every node, or some jobs are not scanned."),
        Setting(
            "antivirus.whenAway", .choice(["closed", "open"]), default: "closed",
            "When clamd gives no verdict. closed: jobs wait until it does. open: they go on, with a note."),
        Setting(
            "antivirus.large", .choice(["pieces", "refuse", "pass"]), default: "pieces",
            "Files larger than streamBytesMax. pieces: scanned in overlapping parts, which finds patterns and not what "
                + "only the whole tells. refuse: the job ends. pass: it goes on, with a note."),
        Setting(
            "antivirus.streamBytesMax", .integer(1 << 20...4_000_000_000), default: "26214400", unit: "bytes",
            "Sent to clamd at once: not more than its StreamMaxLength, MaxFileSize and MaxScanSize, because what lies "
                + "behind those it does not look at."),
        Setting(
            "antivirus.connectionsMax", .integer(1...1000), default: "4", unit: "connections",
            "Scans of this node at one time; those of all nodes together not more than clamd's MaxThreads."),
        Setting(
            "antivirus.connectSeconds", .integer(1...300), default: "5", unit: "seconds",
            "After this clamd counts as away. Prevents a dead network from holding a stage."),
        Setting(
            "antivirus.answerSeconds", .integer(1...3600), default: "120", unit: "seconds",
            "For one stream, sent and looked at. Prevents a scanner that hangs from holding a stage."),
        Setting(
            "antivirus.quarantineDays", .integer(0...3650), default: "30", unit: "days",
            "How long the bytes of an infected upload are kept for operators to look at."),
        Setting(
            "rerank.url", .text, default: "",
            "Where a language model puts moments in order: what /chat/completions stands behind, like "
                + "http://localhost:11434/v1. Excerpts of transcripts are sent there. Empty: none is asked."),
        Setting("rerank.model", .text, default: "", "Name of that model."),
        Setting("rerank.key", .secret, default: "", "Sent as bearer token. Empty: none is."),
        Setting(
            "rerank.seconds", .integer(1...600), default: "30", unit: "seconds",
            "For one question and its answer; after it our own order stands. Prevents a slow model from holding jobs."),
        Setting(
            "admin.host", .text, default: "127.0.0.1", "Address of the operators' own port, when there is one."),
        Setting(
            "admin.port", .integer(0...65535), default: "0", unit: "port",
            "Port of the operators' endpoints alone; the port of everybody then has them no more. 0: the same port."),
        Setting(
            "admin.tokenFile", .text, default: "",
            "File that holds the operators' token. Empty: the operators' endpoints stay shut."),
        Setting(
            "admin.readTokenFile", .text, default: "",
            "File that holds a token with which operators' endpoints can be looked at and nothing be changed, for "
                + "dashboards. Empty: there is none."),
        Setting(
            "log.level", .choice(["trace", "debug", "info", "notice", "warning", "error"]), default: "info",
            "Least severe messages to write."),
        Setting(
            "log.format", .choice(["json", "text"]), default: "json", "One JSON object a line, or lines for people."),
    ]

    package static func named(_ key: String) -> Setting? { all.first { $0.key == key } }
}
