/** A person without a pointer: presses keys, and looks. */
import type { Page } from '@playwright/test'
import { byTestId } from '../../../src/renderer/testids.ts'
import { expect } from './panel.ts'

const tabsMax = 300

export class Keyboard {
  readonly #page: Page

  constructor(page: Page) {
    this.#page = page
  }

  press(key: string): Promise<void> {
    return this.#page.keyboard.press(key)
  }

  /** Types over what a field holds. */
  async fill(text: string): Promise<void> {
    await this.press('ControlOrMeta+a')
    await this.#page.keyboard.type(text)
  }

  async hasFocus(selector: string): Promise<boolean> {
    return this.#page.evaluate((wanted) => document.activeElement?.matches(wanted) === true, selector)
  }

  /** Presses Tab until it is there; fails when the whole page has been gone round. */
  async tabTo(selector: string): Promise<void> {
    await this.#page.locator(selector).first().waitFor()
    for (let tabs = 0; tabs < tabsMax; tabs += 1) {
      if (await this.hasFocus(selector)) return
      await this.press('Tab')
    }
    throw new Error(`Tab does not lead to ${selector}`)
  }

  tabToTest(id: string): Promise<void> {
    return this.tabTo(byTestId(id))
  }

  /** Opens the palette with a command chosen in it; Enter runs it. */
  async choose(command: string): Promise<void> {
    await this.press('ControlOrMeta+k')
    const entry = this.#page.getByRole('combobox')
    await expect(entry).toBeFocused()
    await this.#page.keyboard.type(command)
    for (let steps = 0; (await entry.getAttribute('aria-activedescendant')) !== `command-${command}`; steps += 1) {
      if (steps > 60) throw new Error(`the palette has no command ${command}`)
      await this.press('ArrowDown')
    }
  }

  async run(command: string): Promise<void> {
    await this.choose(command)
    await this.press('Enter')
  }

  /** By the palette, which works wherever the focus is. */
  async goTo(screen: string): Promise<void> {
    await this.run(`go-${screen}`)
    await expect(this.#page).toHaveURL(new RegExp(`#/${screen}`))
  }

  /** The nth of a native list of choices. */
  async pick(selector: string, index: number): Promise<void> {
    await this.tabTo(selector)
    await this.press('Home')
    for (let down = 0; down < index; down += 1) await this.press('ArrowDown')
    await expect.poll(() => this.#page.locator(selector).evaluate((list: HTMLSelectElement) => list.selectedIndex)).toBe(index)
  }
}
