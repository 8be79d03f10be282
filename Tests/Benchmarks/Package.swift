// swift-tools-version: 6.2
import PackageDescription

// A package of its own without dependencies: it drives the built program from outside, as a user would.
let package = Package(
    name: "benchmarks",
    targets: [.executableTarget(name: "bench", swiftSettings: [.swiftLanguageMode(.v6)])]
)
