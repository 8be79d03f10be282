// swift-tools-version: 6.2
import PackageDescription

// Every target of ours is compiled the same way: Swift 6, the upcoming features we rely on, and no warning let through.
let house: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("ImmutableWeakCaptures"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .treatWarning("DeprecatedDeclaration", as: .warning),
]

/// A module of the house. `band` is documentation that TidyTests reads: an import goes strictly to a lower band.
/// `testable`: machines inside it, which nobody else should see, have tests of their own.
func module(
    _ name: String, band: Int, _ dependencies: [Target.Dependency], resources: [Resource] = [], testable: Bool = false
) -> Target {
    .target(
        name: name, dependencies: dependencies, resources: resources,
        swiftSettings: house + (testable ? [.unsafeFlags(["-enable-testing"])] : []))
}

/// `computes`: the tests themselves simulate, search for counterexamples, or make and compare megabytes. The others wait
/// for what they test, and to optimise them would take longer than to build everything that they test.
func tests(
    _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = [], computes: Bool = false
) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, exclude: exclude,
        swiftSettings: house + (computes ? [] : [.unsafeFlags(["-Onone"])]))
}

let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdHTTP2 = Target.Dependency.product(name: "HummingbirdHTTP2", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioHTTPTypes = Target.Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")

let package = Package(
    name: "tijera",
    platforms: [.macOS(.v26)],
    products: [.executable(name: "tijera", targets: ["tijera"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.34.1"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    ],
    targets: [
        // Band 0: C at the edge.
        .systemLibrary(name: "CLibpq", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CWhisper", pkgConfig: "whisper"),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(
            name: "COpenCV",
            cxxSettings: [.unsafeFlags(["-I/usr/include/opencv4", "-O2"])],
            linkerSettings: [
                .linkedLibrary("opencv_core"), .linkedLibrary("opencv_imgproc"), .linkedLibrary("opencv_dnn"),
            ]
        ),

        // Band 1: words and rules, without I/O.
        module("ClipModel", band: 1, []),
        module("Membership", band: 1, []),

        // Band 2: ports, and tools that know no jobs.
        module("Store", band: 2, ["ClipModel"]),
        module("Blobs", band: 2, ["ClipModel", crypto, systemPackage]),
        module("Media", band: 2, ["ClipModel", "COpenCV", "CWhisper", logging, subprocess, systemPackage]),
        module("HTTPClient", band: 2, ["CCurl"]),
        module("Antivirus", band: 2, [logging, nioCore, nioPosix]),
        module("Placement", band: 2, ["Membership"]),
        module("WireProtocol", band: 2, []),

        // Band 3: one step at a time, the actor cluster, and the adapters to PostgreSQL and to TLS.
        module("Uploads", band: 3, ["ClipModel", "Store", "Blobs", logging, crypto]),
        module("Stages", band: 3, ["ClipModel", "Antivirus", "HTTPClient", "Store", "Blobs", "Media", crypto]),
        module(
            "PostgresStore", band: 3, ["ClipModel", "Store", "CLibpq", logging],
            resources: [.embedInCode("Migrations")]),

        module("S3Blobs", band: 3, ["ClipModel", "Blobs", "HTTPClient", logging, crypto], testable: true),
        module("ActorCluster", band: 3, ["Membership", "Placement", "WireProtocol", logging], testable: true),
        module(
            "TLSTransport", band: 3,
            ["WireProtocol", logging, crypto, nioCore, nioEmbedded, nioPosix, nioSSL, nioTLS]),

        // Band 4: the schedule, and the duties that all nodes share.
        module("Limits", band: 4, ["Membership", "Placement", "ActorCluster", logging]),
        module("Telemetry", band: 4, ["Membership", "Placement", "ActorCluster", logging]),
        module(
            "Jobs", band: 4, ["ClipModel", "Membership", "Store", "Blobs", "Media", "Stages", "ActorCluster", logging]),

        // Band 5: the front door.
        module(
            "HTTPGateway", band: 5,
            [
                "ClipModel", "HTTPClient", "Membership", "Placement", "Store", "Blobs", "Media", "Uploads", "Stages",
                "ActorCluster", "Limits", "Telemetry", "Jobs", "CZlib", logging, lifecycle, hummingbird,
                hummingbirdCore, hummingbirdHTTP2, httpTypes, nioCore, nioHTTP1, nioHTTPTypes, nioSSL, nioTLS, crypto,
            ],
            resources: [.embedInCode("Page")]),

        module("RedisLimits", band: 5, ["Limits", logging, nioCore, nioPosix, nioSSL], testable: true),

        // Band 6: the composition root, and the one executable.
        module(
            "Node", band: 6,
            [
                "ClipModel", "Antivirus", "HTTPClient", "Membership", "Placement", "Store", "Blobs", "Media", "Uploads",
                "Stages", "PostgresStore", "S3Blobs", "WireProtocol", "ActorCluster", "TLSTransport", "Limits",
                "RedisLimits", "Telemetry", "Jobs", "HTTPGateway", logging, lifecycle, signals, yams,
            ]),
        .executableTarget(
            name: "tijera",
            dependencies: [
                "ClipModel", "Placement", "HTTPClient", "Jobs", "Media", "HTTPGateway", "Node", arguments,
            ],
            swiftSettings: house),

        // Tests.
        .target(
            name: "TestSupport", dependencies: ["ClipModel", "Blobs", "Store", subprocess, systemPackage],
            path: "Tests/Support", exclude: ["ClusterSimulation", "StoreModel"], swiftSettings: house),
        .target(
            name: "ClusterSimulation",
            dependencies: ["Membership", "Placement", "WireProtocol", "ActorCluster", logging],
            path: "Tests/Support/ClusterSimulation", swiftSettings: house),
        .target(
            name: "StoreModel", dependencies: ["ClipModel", "Store", "ClusterSimulation"],
            path: "Tests/Support/StoreModel", swiftSettings: house),
        tests("MembershipTests", ["Membership"], computes: true),
        tests("PlacementTests", ["Membership", "Placement"], computes: true),
        tests("WireProtocolTests", ["WireProtocol", "TestSupport"]),
        tests(
            "TLSTransportTests",
            ["WireProtocol", "TLSTransport", "TestSupport", logging, nioCore, nioPosix, nioSSL, nioEmbedded],
            exclude: ["make-certificates.sh"], computes: true),
        tests(
            "ActorClusterTests",
            ["Membership", "Placement", "WireProtocol", "ActorCluster", "ClusterSimulation", "TestSupport", logging],
            computes: true),
        tests(
            "LimitsTests",
            ["Membership", "Placement", "WireProtocol", "ActorCluster", "Limits", "ClusterSimulation", logging],
            computes: true),
        tests("RedisLimitsTests", ["Limits", "RedisLimits", "TestSupport", logging, nioCore, nioEmbedded]),
        tests(
            "TelemetryTests",
            ["Membership", "Placement", "WireProtocol", "ActorCluster", "Telemetry", "ClusterSimulation", logging]),
        tests("ClipModelTests", ["ClipModel"]),
        tests("StoreTests", ["ClipModel", "Store", "PostgresStore", "TestSupport", logging]),
        tests(
            "UploadsTests", ["ClipModel", "Store", "Blobs", "Uploads", "TestSupport", crypto, logging], computes: true),
        tests(
            "AntivirusTests",
            [
                "ClipModel", "Antivirus", "Store", "Blobs", "Media", "Stages", "Jobs", "TestSupport", logging, nioCore,
                nioPosix, subprocess, systemPackage,
            ]),
        tests("BlobsTests", ["ClipModel", "Blobs", "TestSupport", crypto], computes: true),
        tests(
            "S3BlobsTests",
            [
                "ClipModel", "Store", "Blobs", "HTTPClient", "Uploads", "S3Blobs", "TestSupport", crypto, logging,
                hummingbird, hummingbirdCore, httpTypes, nioCore,
            ], computes: true),
        tests("MediaTests", ["ClipModel", "Media", "TestSupport", logging], exclude: ["Captions/Golden"]),
        tests(
            "StagesTests",
            [
                "ClipModel", "Store", "Blobs", "Media", "Stages", "TestSupport", hummingbird, httpTypes, nioCore,
                logging,
            ]),
        tests(
            "JobsTests",
            ["ClipModel", "Store", "Blobs", "Media", "Stages", "Jobs", "TestSupport", logging, systemPackage]),
        tests(
            "CoordinationTests",
            [
                "ClipModel", "Membership", "Placement", "WireProtocol", "Store", "Blobs", "Media", "Stages",
                "ActorCluster", "Jobs", "ClusterSimulation", "StoreModel", logging,
            ], computes: true),
        tests(
            "HTTPGatewayTests",
            [
                "ClipModel", "HTTPClient", "Membership", "Placement", "Store", "Blobs", "Uploads", "Stages", "Limits",
                "Telemetry", "Jobs", "HTTPGateway", "StoreModel", "TestSupport", logging, lifecycle, httpTypes, nioCore,
                nioPosix, yams,
            ]),
        tests("NodeTests", ["HTTPClient", "HTTPGateway", "Membership", "Node"]),
        tests("TidyTests", [crypto]),
        tests(
            "EndToEndTests", ["ClipModel", "HTTPClient", "Jobs", "TestSupport", subprocess, systemPackage],
            exclude: ["charla.txt", "import_source.py", "tus_upload.py"]),
    ],
    cxxLanguageStandard: .cxx17
)
