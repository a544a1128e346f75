/** One run of the screen between opening and closing the terminal: holds the scene and the ui, decides when a frame is due. */
import { reasonOf } from '../base/errors.ts'
import { parseJump } from '../base/moment.ts'
import type { NodeModel } from '../model/node.ts'
import { Story } from '../view/story.ts'
import type { Playback, TuiOptions } from './app.ts'
import type { Charts } from './charts.ts'
import { point } from './click.ts'
import { clipped, filesOf, textToCopy } from './export-case.ts'
import type { Abilities } from './help.ts'
import { hitAt } from './hits.ts'
import { modeText } from './mode.ts'
import { OwnCostMeter } from './own-cost.ts'
import { paneSizeOf } from './paint-command.ts'
import type { CommandPage } from './paint-command.ts'
import { paint } from './paint.ts'
import type { Painted } from './paint.ts'
import type { MouseEvent } from './mouse.ts'
import { press } from './press.ts'
import type { Command, Context, Pressed } from './press.ts'
import { sceneOf } from './scene.ts'
import type { Scene } from './scene.ts'
import type { Settings } from './settings.ts'
import type { Terminal } from './terminal.ts'
import { selectedIn, toggleFollowing } from './following.ts'
import { splitChunk, togglePane } from './stage.ts'
import { START } from './ui.ts'
import type { Ui } from './ui.ts'

/** At most ten frames a second; numbers that change faster than twice a second cannot be read. */
const FRAME_MS = 100, REFRESH_MS = 500
/** A jump that takes longer says where it goes. */
const LONG_JUMP_MS = 300
/** While somebody waits for one, its picture is looked for so often. */
const JUMP_LOOK_MS = 10

export class Session {
  private readonly options: TuiOptions
  private readonly terminal: Terminal
  private readonly quit: () => void
  private readonly story: Story
  private readonly meter = new OwnCostMeter()
  private readonly ownStory: boolean
  private scene: Scene
  private model: NodeModel
  private ui: Ui
  private settings: Settings
  private painted: Painted | undefined
  private charts: Charts | undefined
  private dirty = true
  private frames = 0
  private shownAt = -Infinity
  private refreshedAt = -Infinity
  private shownMode = ''
  /** Where the last jump wanted to go, until the recording has played on. */
  private soughtNs: number | undefined
  private wasOver = false
  /** From a jump until the picture of the wanted time. */
  private isJumping = false
  private leaveAsked = false
  private shownCells = -1
  private jumpedAt = 0
  private jumpTimer: NodeJS.Timeout | undefined
  private readonly timer: NodeJS.Timeout

  constructor(options: TuiOptions, terminal: Terminal, quit: () => void) {
    this.options = options
    this.terminal = terminal
    this.quit = quit
    this.settings = options.settings ?? {}
    this.ui = remembered(options)
    this.model = options.model()
    this.ownStory = options.story === undefined
    this.story = options.story ?? new Story(this.model)
    this.scene = this.takeScene()
    if (this.ui.mouse) terminal.setMouse(true)
    this.timer = setInterval(() => this.tick(), FRAME_MS)
    this.tick()
  }

  /** The source says whether it stands still; live without a memory it is the person's choice alone. */
  private get paused(): boolean { return this.options.control?.playback?.().paused ?? this.ui.paused }

  private get canCharts(): boolean { return this.options.ascii !== true && this.ui.theme !== 'mono' }

  close(): void {
    clearInterval(this.timer)
    clearTimeout(this.jumpTimer)
    this.charts?.close()
  }

  /** The command's keys are whatever the keyboard sends; on other pages only the way back to it is looked for. */
  bytes(chunk: string): void {
    const { stage } = this.options
    if (stage === undefined) return
    const { typed, toggles } = splitChunk(chunk)
    if (this.hasKeysOfCommand && typed !== '') stage.type(typed)
    if (toggles > 0) this.leaveAsked = false
    if (toggles % 2 === 0) return
    this.change(togglePane(this.ui))
    setImmediate(() => this.tick())
  }

  private get hasKeysOfCommand(): boolean { return this.ui.page === 'command' && this.options.stage?.isRunning() === true }

  key(key: string): void {
    if (this.hasKeysOfCommand) return
    if (key === 'C-z') { this.terminal.suspend(() => { this.dirty = true; this.tick() }); return }
    const { painted } = this
    // Keys of one chunk arrive without a frame between them: the rows must be those of the ui as it is now.
    const now = painted === undefined || painted.ui === this.ui ? painted : this.compose()
    this.obey(press(this.ui.paused === this.paused ? this.ui : { ...this.ui, paused: this.paused }, key, this.contextOf(now)))
  }

  mouse(event: MouseEvent): void {
    const now = this.painted === undefined || this.painted.ui !== this.ui ? this.compose() : this.painted
    // Of the pages only the way to them can be clicked while the keys are the command's.
    if (this.hasKeysOfCommand && (event.does !== 'click' || hitAt(now.grid.hits, event.x, event.y)?.target.what !== 'pane')) return
    this.obey(point(this.ui.paused === this.paused ? this.ui : { ...this.ui, paused: this.paused }, event, { hits: now.grid.hits, context: this.contextOf(now) }))
  }

  private obey({ ui, command }: Pressed): void {
    if (command?.do !== 'quit') this.leaveAsked = false
    this.change(ui)
    if (command !== undefined) this.run(command)
    setImmediate(() => this.tick())
  }

  /** What a person chose is remembered at once: nobody knows how this ends. */
  private change(ui: Ui): void {
    const before = this.ui
    this.ui = ui
    this.dirty = true
    // The command runs now, and its page has no keys to move through time.
    if (ui.page === 'command' && before.page !== 'command') this.toLive()
    if (before.theme !== ui.theme) this.terminal.setTheme(ui.theme)
    if (before.mouse !== ui.mouse) this.terminal.setMouse(ui.mouse)
    const chosen: Settings = {
      ...(before.mouse === ui.mouse ? {} : { mouse: ui.mouse }), ...(before.theme === ui.theme ? {} : { theme: ui.theme }), ...(before.sort === ui.sort ? {} : { sort: ui.sort }), ...(before.hidden === ui.hidden ? {} : { hiddenColumns: [...ui.hidden] }),
    }
    if (Object.keys(chosen).length > 0) this.options.remember?.(this.settings = { ...this.settings, ...chosen })
  }

  private contextOf(painted: Painted | undefined): Context {
    const { control, save } = this.options, { scene } = this, playback = control?.playback?.()
    const context = {
      nowNs: this.model.nowNs, rowKeys: painted?.rows.keys ?? scene.rows.map((row) => row.key), listKeys: painted?.listKeys ?? [], spikes: this.ui.page === 'spikes' ? scene.spikes().rows.map(({ id, spike }) => ({ id, memcgId: spike.memcgId, atNs: spike.endNs })) : [], kills: scene.kills, pressureStarts: scene.pressureStarts,
      pageLines: painted?.pageLines ?? 1, textLines: painted?.textLines ?? 0, canCharts: this.canCharts, canSave: save !== undefined, keys: this.options.keys ?? 'oomscope',
    }
    if (control?.seek === undefined || this.ui.page === 'command') return context
    const { live } = playback ?? {}, canSpeed = control.setSpeed !== undefined && live?.isFollowing !== true
    const momentOf = (text: string): number | undefined => notTomorrow(parseJump(text, { nowNs: this.wantedNs, startNs: playback?.startNs ?? 0, anchor: this.model.anchor }), { text, liveNs: live?.nowNs })
    const time = { speed: playback?.speed ?? 1, canSpeed, canSeek: true, stepNs: this.model.hello?.samplePeriodNs ?? 1e8, momentOf }
    return { ...context, nowNs: this.wantedNs, replay: live === undefined ? time : { ...time, live: live.isFollowing ? 'following' : 'back', oldestNs: playback?.startNs } }
  }

  /** Several jumps in one chunk of keys add up although no frame has come between them. */
  private get wantedNs(): number { return this.soughtNs ?? this.model.nowNs }

  resized(): void {
    this.charts?.close()
    this.charts = undefined
    this.dirty = true
    this.tick()
  }

  private run(command: Command): void {
    const { control } = this.options
    switch (command.do) {
      case 'quit': this.leave(); return
      case 'pause':
        this.soughtNs = undefined
        if (command.paused) this.scene.hold()
        control?.setPaused?.(command.paused)
        break
      case 'speed': control?.setSpeed?.(command.speed); break
      case 'seek': this.seek(command.tsNs); break
      case 'hold': this.windTo(this.scene.nowNs); break
      case 'live': this.toLive(); break
      case 'copy': this.copy(); break
      case 'follow': this.ui = toggleFollowing(this.ui, this.scene, this.model); break
      case 'save': this.save(); break
    }
    this.refreshedAt = -Infinity
  }

  /** A key pressed by mistake must not end what somebody waits for. */
  private leave(): void {
    const asked = 'the command is still running: q again ends it (SIGTERM)'
    if (this.options.stage?.isRunning() !== true || this.leaveAsked) { this.quit(); return }
    this.leaveAsked = true
    this.ui = { ...this.ui, message: asked }
  }

  /** Beyond the present is the present; before what is kept is the oldest moment of it. */
  private seek(tsNs: number): void {
    const { startNs = -Infinity, endNs = Infinity, live } = this.options.control?.playback?.() ?? {}
    if (live !== undefined && tsNs >= live.nowNs) { this.toLive(); return }
    if (live !== undefined && tsNs < startNs) this.ui = { ...this.ui, message: `older moments are no longer kept than ${this.scene.timeAt(startNs)}` }
    this.windTo(Math.max(startNs, Math.min(endNs, tsNs)))
  }

  private windTo(tsNs: number): void {
    const { control } = this.options
    this.soughtNs = tsNs
    this.isJumping = true
    this.jumpedAt = performance.now()
    control?.setPaused?.(true)
    control?.seek?.(tsNs)
    this.lookForJump()
  }

  private lookForJump(): void {
    clearTimeout(this.jumpTimer)
    this.jumpTimer = setTimeout(() => {
      this.tick()
      if (this.isJumping) this.lookForJump()
    }, JUMP_LOOK_MS)
  }

  private toLive(): void {
    this.soughtNs = undefined
    this.isJumping = false
    this.refreshedAt = -Infinity
    this.ui = { ...this.ui, paused: false, held: false, atKill: undefined }
    this.options.control?.toLive?.()
  }

  private copy(): void {
    const text = textToCopy(this.scene, this.ui)
    if (text === undefined) return
    const clip = clipped(text)
    this.terminal.copy(clip.text)
    this.ui = { ...this.ui, message: `${clip.lines} copied, if this terminal takes them (OSC 52)` }
  }

  private save(): void {
    const { save } = this.options
    if (save === undefined) return
    try {
      const paths = filesOf(this.scene, this.ui, this.story.model).map(({ name, text }) => save(name, text))
      if (paths.length > 0) this.ui = { ...this.ui, message: `written: ${paths.join(', ')}` }
    } catch (error) {
      this.ui = { ...this.ui, message: `not written: ${reasonOf(error)}` }
    }
  }

  private takeScene(): Scene {
    const { lens, control, mode } = this.options, playback = control?.playback?.()
    const range = mode === 'live' || playback?.startNs === undefined || playback.endNs === undefined ? undefined : { startNs: playback.startNs, endNs: playback.endNs }
    return sceneOf({ lens, model: this.model, story: this.story, range, costs: mode === 'live' ? { own: this.meter.read(), kept: control?.kept?.() } : undefined, liveNs: playback?.live?.isFollowing === false ? playback.live.nowNs : undefined })
  }

  /** Takes a new scene when the model (or what is known of the recording) has moved, half a second has passed or somebody was killed, and the picture is not held. */
  private refresh(now: number): void {
    const playback = this.options.control?.playback?.(), model = this.options.model(), moved = model !== this.model || model.nowNs !== this.scene.nowNs || isLater(playback, this.scene.liveNs)
    if (this.ownStory && this.options.mode === 'live' && moved) this.story.see(model)
    if (this.ui.paused && this.options.mode === 'live' && playback === undefined) return
    // The fold that leads up to the wanted time passes through many others.
    if (this.isJumping && playback?.caughtUp === false) return
    const killed = this.story.model.cases.length !== this.scene.kills.length, read = this.story.progress !== this.scene.progress, over = playback?.ended === true && !this.wasOver
    // Where nothing happened between here and there, nothing has moved.
    const isThere = this.isJumping && playback?.caughtUp === true
    if (!isThere && (!(moved || read) || (now - this.refreshedAt < REFRESH_MS && !killed && !over && !this.isJumping))) return
    // Who waited for it sees it at once.
    if (this.isJumping) this.shownAt = -Infinity
    this.isJumping = false
    this.wasOver = playback?.ended === true
    if (playback?.live?.isFollowing === true) this.soughtNs = undefined
    this.model = model
    this.scene = this.takeScene()
    this.ui = selectedIn(this.ui, this.scene, this.model)
    this.refreshedAt = now
    this.dirty = true
  }

  private tick(): void {
    const now = performance.now()
    this.refresh(now)
    const mode = `${this.mode().text}${this.options.fault?.() ?? ''}`
    if (mode !== this.shownMode) this.dirty = true
    this.watchStage()
    if (!this.dirty || now - this.shownAt < FRAME_MS * 0.9) return
    this.shownMode = mode
    this.shownAt = now
    this.dirty = false
    this.draw()
  }

  /** What the command writes is a reason for a frame; so is its end. */
  private watchStage(): void {
    const { stage } = this.options
    if (stage === undefined) return
    const size = paneSizeOf(this.terminal.size()), { cols, rows } = stage.cells.size
    if (size.cols !== cols || size.rows !== rows) stage.resize(size.cols, size.rows)
    const version = stage.cells.version + (stage.isRunning() ? 0 : 0.5) + (stage.summary() === undefined ? 0 : 0.25)
    if (version !== this.shownCells && this.ui.page === 'command') this.dirty = true
    this.shownCells = version
  }

  private mode(): ReturnType<typeof modeText> {
    const { options } = this, playback = options.control?.playback?.(), isLong = performance.now() - this.jumpedAt > LONG_JUMP_MS, isSlow = isLong && this.isJumping && playback?.caughtUp === false
    return modeText(options.mode, { scene: this.scene, model: this.model, paused: this.paused, wallNowMs: options.wallNow(), playback, goingToNs: isSlow ? this.soughtNs : undefined, isReadingBack: isLong && playback?.partial === true && playback.caughtUp !== false })
  }

  private abilities(): Abilities {
    const { mode, control, save } = this.options, following = control?.playback?.().live?.isFollowing
    return {
      mode, command: this.options.stage !== undefined, mouse: this.ui.mouse, keys: this.options.keys ?? 'oomscope', charts: this.canCharts, save: save !== undefined, seek: control?.seek !== undefined, speed: control?.setSpeed !== undefined && following !== true,
      ...(following === undefined ? {} : { live: following ? 'following' as const : 'back' as const }),
    }
  }

  private compose(): Painted {
    const { options } = this
    return paint({
      scene: this.scene, mode: this.mode(), fault: options.fault?.(), ascii: options.ascii === true,
      can: this.abilities(), command: this.command(),
    }, this.ui, this.terminal.size())
  }

  private command(): CommandPage | undefined {
    const { stage } = this.options
    return stage === undefined || this.ui.page !== 'command' ? undefined : { title: stage.title, isRunning: stage.isRunning(), cells: stage.cells, panel: stage.panel(), summary: stage.summary() }
  }

  private draw(): void {
    this.painted = this.compose()
    this.ui = this.painted.ui
    this.frames += 1
    this.drawCharts(this.painted)
    this.terminal.show(this.painted.grid, process.env['OOMSCOPE_FRAME_MARK'] === '1' ? this.frames : undefined)
  }

  /** The charts page lies over the surface; its library is loaded when it is opened for the first time. */
  private drawCharts(painted: Painted): void {
    if (this.ui.page !== 'charts' || painted.body.height === 0) {
      this.charts?.close()
      this.charts = undefined
    } else if (this.charts !== undefined) this.charts.update(this.model)
    else {
      void import('./charts.ts').then(({ openCharts }) => {
        if (this.ui.page !== 'charts' || this.charts !== undefined || this.painted === undefined) return
        this.charts = openCharts(this.terminal.screen, this.painted.body)
        this.dirty = true
        this.tick()
      })
    }
  }
}

/** Live, a time of day that is still to come (by more than what clocks differ) means the one that has been, even where it is no longer kept. */
function notTomorrow(tsNs: number | undefined, { text, liveNs }: { readonly text: string; readonly liveNs: number | undefined }): number | undefined {
  return tsNs !== undefined && liveNs !== undefined && tsNs > liveNs + 60e9 && /^\s*\d{1,2}:\d/.test(text) ? tsNs - 86_400e9 : tsNs
}

/** The ui at the start, as it was left. */
function remembered({ settings, theme, mouse, notice, stage }: TuiOptions): Ui {
  return { ...START, page: stage === undefined ? START.page : 'command', theme: theme ?? START.theme, mouse: mouse ?? START.mouse, sort: settings?.sort ?? START.sort, hidden: new Set(settings?.hiddenColumns), ...(notice === undefined ? {} : { message: notice }) }
}

/** Looking back, the present goes on: a second of it is worth another look at the bar. */
function isLater(playback: Playback | undefined, shownNs: number | undefined): boolean {
  const liveNs = playback?.live?.isFollowing === false ? playback.live.nowNs : undefined
  return liveNs === undefined ? shownNs !== undefined : Math.floor(liveNs / 1e9) !== Math.floor((shownNs ?? 0) / 1e9)
}
