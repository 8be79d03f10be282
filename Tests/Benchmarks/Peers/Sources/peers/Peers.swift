import Foundation

/// `peers grpc|nio CERTIFICATES [SECONDS]`: one line of JSON with what that peer of the calls between nodes manages.
@main
struct Peers {
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard let peer = arguments.first, let folder = arguments.dropFirst().first,
            let seconds = Double(arguments.dropFirst(2).first ?? "5"), (0.1...600).contains(seconds)
        else { usage() }
        let certificates = Certificates(folder: folder)
        let figures =
            switch peer {
            case "grpc": try await GRPCPeer(certificates: certificates, seconds: seconds).run()
            case "nio": try await NIOPeer(certificates: certificates, seconds: seconds).run()
            default: usage()
            }
        FileHandle.standardOutput.write(try JSONEncoder().encode(figures) + Data("\n".utf8))
    }

    private static func usage() -> Never {
        FileHandle.standardError.write(Data("usage: peers grpc|nio CERTIFICATES [SECONDS]\n".utf8))
        exit(2)
    }
}
