package import Hummingbird
package import NIOCore

/// What travels with a request through the middleware to its route.
package struct GatewayContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// Names this request in the answer and in the logs.
    package var requestID = ""
    package let channel: any Channel

    package init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }

    /// The address of the other end of the connection. Not what `X-Forwarded-For` claims: anybody can write that.
    package var clientAddress: String { channel.remoteAddress?.ipAddress ?? "local" }
}
