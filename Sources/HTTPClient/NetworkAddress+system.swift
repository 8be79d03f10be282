import Glibc

extension NetworkAddress {
    /// As `inet_pton` reads it: no names, no shortened or octal forms.
    init?(text: String) {
        var four = in_addr()
        // Sound: both calls write into locals that outlive them, of the sizes that the families have.
        if unsafe inet_pton(AF_INET, text, &four) == 1 {
            self.init(unsafe withUnsafeBytes(of: &four) { unsafe Array($0) })
            return
        }
        var six = in6_addr()
        guard unsafe inet_pton(AF_INET6, text, &six) == 1 else { return nil }
        self.init(unsafe withUnsafeBytes(of: &six) { unsafe Array($0) })
    }

    /// What a socket is about to be connected to; nil when it is no address of the internet. An address of version 4 in
    /// the form of version 6 is told as what it is, because that is where the connection goes.
    init?(_ address: UnsafePointer<sockaddr>, bytes: Int) {
        switch unsafe Int32(address.pointee.sa_family) {
        case AF_INET where bytes >= MemoryLayout<sockaddr_in>.size:
            // Sound: the family says what it is, and the length that all of it is there.
            let four = unsafe UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in.self)
            self.init(unsafe withUnsafeBytes(of: four.sin_addr) { unsafe Array($0) })
        case AF_INET6 where bytes >= MemoryLayout<sockaddr_in6>.size:
            // As above.
            let six = unsafe UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in6.self)
            let all = unsafe withUnsafeBytes(of: six.sin6_addr) { unsafe Array($0) }
            let isMapped = all[..<10].allSatisfy { $0 == 0 } && all[10] == 0xFF && all[11] == 0xFF
            self.init(isMapped ? Array(all[12...]) : all)
        default: return nil
        }
    }
}
