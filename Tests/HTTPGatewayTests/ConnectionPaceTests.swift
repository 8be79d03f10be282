import HTTPGateway
import Testing

/// How slow a client may be, as a value: no socket, no clock.
struct ConnectionPaceTests {
    private func pace(at now: Double = 0) -> ConnectionPace { ConnectionPace(ConnectionPace.Limits(), now: now) }

    @Test func `a head that trickles in has ten seconds from its first byte`() {
        var pace = pace()
        #expect(pace.fault(now: 60) == nil)
        pace.bytesArrived(now: 60)
        for second in 61...70 {
            pace.bytesArrived(now: Double(second))
            #expect(pace.fault(now: Double(second)) == nil)
        }
        #expect(pace.fault(now: 70.5) == .headTooSlow)
    }

    @Test func `a connection without a request is idle after 75 seconds, and again after each request`() {
        var pace = pace()
        #expect(pace.fault(now: 75) == nil)
        #expect(pace.fault(now: 75.5) == .idle)
        pace.bytesArrived(now: 70)
        pace.requestBegan(1, now: 70)
        pace.bodyEnded(1, now: 70)
        #expect(pace.fault(now: 7000) == nil, "the answer may take its time")
        pace.requestEnded(1, now: 7000)
        #expect(pace.fault(now: 7075) == nil)
        #expect(pace.fault(now: 7076) == .idle)
    }

    @Test func `a body is measured while it is waited for, and not while the node is slow`() {
        var pace = pace()
        pace.requestBegan(1, now: 0)
        pace.bodyWanted(1, now: 0)
        #expect(pace.fault(now: 29) == nil)
        pace.bodyArrived(1, bytes: 5000)
        #expect(pace.fault(now: 30) == .bodyTooSlow)
        pace.bodyArrived(1, bytes: 1000)
        #expect(pace.fault(now: 30) == nil, "200 bytes a second is fast enough")
        // The next window begins. The node has enough for an hour: nobody is to blame.
        pace.bodySatisfied(1, now: 31)
        #expect(pace.fault(now: 3600) == nil)
        pace.bodyWanted(1, now: 3600)
        #expect(pace.fault(now: 3628) == nil)
        #expect(pace.fault(now: 3630) == .bodyTooSlow)
        pace.bodyEnded(1, now: 3631)
        #expect(pace.fault(now: 3700) == nil)
    }

    @Test func `a refused body that is still thrown away counts as a body, not as a head`() {
        var pace = pace()
        pace.requestBegan(1, now: 0)
        pace.requestEnded(1, now: 1)
        pace.bytesArrived(now: 2)
        #expect(pace.fault(now: 25) == nil)
        pace.bodyEnded(1, now: 26)
        #expect(pace.fault(now: 100) == nil)
        #expect(pace.fault(now: 102) == .idle)
    }

    @Test func `a client that takes nothing of an answer is cut off, one that takes some is not`() {
        var pace = pace()
        pace.requestBegan(1, now: 0)
        pace.bodyEnded(1, now: 0)
        pace.writable(false, stream: 1, now: 1)
        pace.writable(false, stream: 1, now: 50)
        #expect(pace.fault(now: 61) == nil)
        #expect(pace.fault(now: 62) == .notReading)
        pace.writable(true, stream: 1, now: 62)
        #expect(pace.fault(now: 6000) == nil)
        pace.writable(false, stream: 1, now: 6000)
        pace.streamClosed(1)
        #expect(pace.fault(now: 9000) == nil)
    }

    @Test func `streams of one connection are measured one by one`() {
        var pace = pace()
        pace.negotiated(isMultiplexed: true, now: 0)
        for stream in 1...3 {
            pace.requestBegan(stream, now: 0)
            pace.bodyWanted(stream, now: 0)
        }
        pace.bodyArrived(1, bytes: 1 << 20)
        pace.bodyArrived(2, bytes: 1 << 20)
        #expect(pace.fault(now: 31) == .bodyTooSlow)
        pace.streamClosed(3)
        #expect(pace.fault(now: 31) == nil)
    }

    @Test func `traffic without requests keeps no multiplexed connection`() {
        var pace = pace()
        pace.bytesArrived(now: 0)
        pace.negotiated(isMultiplexed: true, now: 1)
        for second in 2...80 {
            pace.bytesArrived(now: Double(second))
            #expect(pace.fault(now: Double(second)) == nil)
        }
        #expect(pace.fault(now: 82) == .idle)
    }
}

struct TrustedProxiesTests {
    private let proxies = TrustedProxies("10.0.0.0/8, 192.0.2.7,fd00::/8")!

    @Test(arguments: [
        ("10.1.2.3", true), ("11.1.2.3", false), ("192.0.2.7", true), ("192.0.2.8", false), ("fdab::1", true),
        ("fe80::1", false), ("::ffff:10.1.2.3", true), ("local", false),
    ])
    func `an address is in a network or not`(address: String, isIn: Bool) {
        #expect(proxies.contains(address) == isIn)
    }

    @Test(arguments: ["10.0.0.0/33", "10.0.0.0/0", "10.0.0", "host", "10.0.0.0/8/8", "fd00::/129", "1.2.3.4/x"])
    func `what is no network is refused`(text: String) { #expect(TrustedProxies(text) == nil) }

    @Test(
        arguments: [
            // A stranger may claim what it likes.
            ("203.0.113.9", "1.2.3.4", "203.0.113.9"),
            ("10.0.0.1", "1.2.3.4", "1.2.3.4"), ("10.0.0.1", "6.6.6.6, 1.2.3.4", "1.2.3.4"),
            ("10.0.0.1", "6.6.6.6, 1.2.3.4, 10.9.9.9", "1.2.3.4"), ("10.0.0.1", "10.2.2.2, 10.9.9.9", "10.2.2.2"),
            ("10.0.0.1", "1.2.3.4:4711", "1.2.3.4"), ("10.0.0.1", "[2001:db8::1]:4711", "2001:db8:0:0:0:0:0:1"),
            ("10.0.0.1", "2001:db8::1", "2001:db8:0:0:0:0:0:1"), ("10.0.0.1", "unknown", "10.0.0.1"),
            ("10.0.0.1", "", "10.0.0.1"), ("10.0.0.1", "1.2.3.4, junk", "10.0.0.1"), ("10.0.0.1", nil, "10.0.0.1"),
        ] as [(String, String?, String)])
    func `the client is the last in the chain that is none of ours`(peer: String, value: String?, client: String) {
        #expect(proxies.client(peer: peer, header: .forwardedFor, value: value) == client)
    }

    @Test(arguments: [
        ("for=1.2.3.4;proto=https", "1.2.3.4"), ("for=6.6.6.6, For=\"1.2.3.4:80\";by=10.0.0.1", "1.2.3.4"),
        ("for=\"[2001:db8::1]:4711\"", "2001:db8:0:0:0:0:0:1"), ("proto=https", "10.0.0.1"),
        ("for=_hidden", "10.0.0.1"),
    ])
    func `Forwarded is read the same way`(value: String, client: String) {
        #expect(proxies.client(peer: "10.0.0.1", header: .forwarded, value: value) == client)
    }

    @Test func `whoever has one address of an IPv6 network has all of them`() {
        #expect(IPAddress("2001:db8:1:2:3:4:5:6")?.subject == IPAddress("2001:db8:1:2::9")?.subject)
        #expect(IPAddress("2001:db8:1:3::9")?.subject != IPAddress("2001:db8:1:2::9")?.subject)
        #expect(IPAddress("::ffff:1.2.3.4")?.subject == "1.2.3.4")
    }
}

struct ProxyHeaderTests {
    private static let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10]

    private static func binary(_ command: UInt8, _ family: UInt8, _ body: [UInt8]) -> [UInt8] {
        signature + [0x20 | command, family, UInt8(body.count >> 8), UInt8(body.count & 255)] + body
    }

    @Test(
        arguments: [
            ("PROXY TCP4 192.0.2.7 192.0.2.1 50000 443\r\n", "192.0.2.7"),
            ("PROXY TCP6 2001:db8::7 2001:db8::1 50000 443\r\n", "2001:db8:0:0:0:0:0:7"), ("PROXY UNKNOWN\r\n", nil),
            ("PROXY UNKNOWN ff ff 1 2\r\n", nil),
        ] as [(String, String?)])
    func `a line says who the client is, however it is cut`(line: String, address: String?) {
        let bytes = Array(line.utf8)
        #expect(
            ProxyHeader.read(bytes + Array("GET /".utf8))
                == .complete(address: address.flatMap { IPAddress($0) }, bytes: bytes.count))
        for count in 0..<bytes.count { #expect(ProxyHeader.read(Array(bytes[..<count])) == .needsMore) }
    }

    @Test func `the binary form says the same, however it is cut`() {
        let four = Self.binary(1, 0x11, [192, 0, 2, 7, 192, 0, 2, 1, 195, 80, 1, 187, 4, 0, 1, 0])
        #expect(ProxyHeader.read(four + [22, 3]) == .complete(address: IPAddress("192.0.2.7"), bytes: four.count))
        for count in 0..<four.count { #expect(ProxyHeader.read(Array(four[..<count])) == .needsMore) }
        let six = Self.binary(1, 0x21, IPAddress("2001:db8::7")!.bytes + Array(repeating: 0, count: 20))
        #expect(ProxyHeader.read(six) == .complete(address: IPAddress("2001:db8::7"), bytes: six.count))
        let itself = Self.binary(0, 0, [])
        #expect(ProxyHeader.read(itself) == .complete(address: nil, bytes: 16))
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\n", "PROXY TCP4 192.0.2.7\r\n", "PROXY TCP4 a b c d\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 99999\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n", "PROXY " + String(repeating: "x", count: 200), "\r\n\r\nGET",
    ])
    func `what is no header is refused`(text: String) {
        #expect(ProxyHeader.read(Array(text.utf8)) == .malformed)
    }

    @Test func `a binary header that lies about itself is refused`() {
        #expect(ProxyHeader.read(Self.binary(1, 0x11, [1, 2, 3])) == .malformed)
        #expect(ProxyHeader.read(Self.signature + [0x31, 0x11, 0, 12]) == .malformed)
        #expect(ProxyHeader.read(Self.signature + [0x25, 0x11, 0, 12]) == .malformed)
        #expect(ProxyHeader.read(Self.signature + [0x21, 0x11, 255, 255]) == .malformed)
    }
}
